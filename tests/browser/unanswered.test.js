/** Calls that end by themselves: nobody answers, or one is left alone. Mostly waiting, for the deadlines that the server keeps. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Caller, launchCaller } from './caller.js';
import { CHOSEN } from './person.js';
import { Server } from './server.js';

/** More than the server waits, on a machine that is busy. */
const GIVEN_UP_MS = 150_000;

describe('calls that end by themselves', { concurrency: 2, skip: !CHOSEN.includes('chromium') }, () => {
  let launched, server;
  before(async () => {
    launched = await launchCaller('chromium');
    server = await Server.start();
  });
  after(async () => {
    await launched.close();
    await server.stop();
  });

  /** A client and a juriste of their own, in their conversation. @param {string} client @param {string} juriste */
  async function two(client, juriste) {
    const { user: { id: participantId } } = await server.signIn(juriste);
    const { body: { id } } = await server.call('POST', '/conversations', { token: await server.tokenOf(client), body: { participantId } });
    const pair = [await Caller.in(launched), await Caller.in(launched)];
    for (const [at, account] of [client, juriste].entries()) {
      await pair[at].signIn(server, account);
      await pair[at].visit(`${server.url}/c/${id}`);
      await pair[at].see('button', 'Appel audio');
    }
    return { a: pair[0], b: pair[1], address: `${server.url}/c/${id}` };
  }

  /** @param {Caller} who @param {(...given: any[]) => any} condition */
  const comesTo = (who, condition) => who.page.waitForFunction(condition, { timeout: GIVEN_UP_MS, polling: 500 });

  test('who leaves without a word is waited for, and then the call is over', async () => {
    const { a, b, address } = await two('client2', 'juriste2');
    await a.presses('Appel audio');
    await b.rings();
    await b.presses('Accepter');
    await Promise.all([a.isConnected(), b.isConnected()]);
    await b.visit('about:blank');
    await a.until(() => document.querySelector('.call-state')?.textContent.startsWith('Reconnexion'));
    await comesTo(a, () => !document.querySelector('section.call'));
    await b.visit(address);
    await b.see('button', 'Appel audio');
    await b.never(500, () => document.querySelector('section.call'));
    assert.deepEqual([a.complaints, b.complaints], [[], []]);
  });

  test('a call that nobody answers is a missed one', async () => {
    const { a, b } = await two('client3', 'juriste3');
    await a.presses('Appel audio');
    await b.rings();
    await comesTo(b, () => !document.querySelector('dialog.incoming[open]'));
    await a.isTold('n’a pas répondu');
    await b.until(() => [...document.querySelectorAll('.call-entry')].at(-1)?.textContent.includes('Appel manqué'));
    // The list says it as the timeline does: each reads what became of it for them.
    await b.until(() => document.querySelector('nav .row-text bdi')?.textContent === 'Appel manqué');
    await a.until(() => document.querySelector('nav .row-text bdi')?.textContent === 'Appel sans réponse');
    assert.deepEqual([a.complaints, b.complaints], [[], []]);
  });
});
