/** What a file's tests begin with: a browser for all of them, and for each a server of its own with a conversation. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { Person, launch } from './person.js';
import { Server } from './server.js';

/**
 * For the `describe` that it is called in. Whoever came in leaves when a test is over, and no page may have complained.
 * @param {'chromium'|'firefox'} name
 * @param {{by: 'client1'|'juriste1', content: string}[]} [messages] said in the conversation already
 */
export function anew(name, messages = []) {
  const here = {
    launched: /** @type {any} */ (null),
    server: /** @type {Server} */ (/** @type {any} */ (null)),
    /** The conversation of client1 and juriste1. */
    id: 0,
    /** @type {Person[]} */
    people: [],
    /** A window of somebody who is still nobody. @param {object} [size] */
    async person(size) {
      const person = await Person.in(here.launched, size);
      here.people.push(person);
      return person;
    },
  };
  before(async () => { here.launched = await launch(name); });
  after(() => here.launched.close());
  beforeEach(async () => {
    here.server = await Server.start();
    here.id = await here.server.conversation(messages);
  });
  afterEach(async () => {
    const complaints = here.people.flatMap((person) => person.complaints);
    await Promise.all(here.people.map((person) => person.close()));
    here.people = [];
    await here.server.stop();
    assert.deepEqual(complaints, []);
  });
  return here;
}
