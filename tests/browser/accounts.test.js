/** The way to an account through the page: by an invitation. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CHOSEN, Person, launch } from './person.js';
import { Server } from './server.js';

describe('accounts', { concurrency: 1 }, () => {
  let launched, server;
  before(async () => {
    launched = await launch(CHOSEN[0]);
    server = await Server.start();
  });
  after(async () => {
    await launched.close();
    await server.stop();
  });

  test('an invited client finds the conversation with who invited them, and the link works once', async () => {
    const made = await server.call('POST', '/invitations', { token: await server.tokenOf('juriste1'), body: { role: 'client', name: 'Nora Petit' } });
    assert.equal(made.status, 201);
    const { pathname } = new URL(made.body.url);
    const guest = await Person.in(launched);
    await guest.visit(server.url + pathname);
    await guest.until(() => document.querySelector('.gate-text')?.textContent.includes('Hélène Rousseau'));
    await guest.write('E-mail', 'nora@example.org');
    await guest.page.type('input[type=password]', 'une phrase assez longue');
    await guest.click('button', 'Créer mon accès');
    await guest.until(() => document.querySelector('nav .row')?.textContent.includes('Hélène Rousseau'));
    assert.deepEqual(guest.complaints, []);
    await guest.close();
    const late = await Person.in(launched);
    await late.visit(server.url + pathname);
    await late.until(() => document.querySelector('.fault[role=alert]'));
    await late.close();
  });
});
