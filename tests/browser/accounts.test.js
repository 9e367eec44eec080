/** The ways to an account through the page, and what an administrator does there. */
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

  test('a new practice begins with its setup link: the first administrator invites, and closes an account', async () => {
    const fresh = await Server.start(['--no-demo']);
    try {
      const [, link] = await fresh.prints(/setup\s+(\S+)\s/);
      const admin = await Person.in(launched);
      await admin.visit(fresh.url + new URL(link).pathname);
      await admin.write('Nom complet', 'Claire Fontaine');
      await admin.write('E-mail', 'claire@example.org');
      await admin.page.type('input[type=password]', 'une phrase assez longue');
      await admin.click('button', 'Créer le compte d’administration');
      await admin.see('navigation', 'Conversations');
      await admin.visit(`${fresh.url}/admin`);
      await admin.click('button', 'Inviter');
      await admin.write('Nom (facultatif)', 'Nora Petit');
      await admin.click('button', 'Créer le lien');
      const invitation = await admin.see('textbox', 'Lien d’invitation').then((field) => field.evaluate((one) => one.value));
      await admin.press('Escape');
      await admin.click('link', 'Invitations');
      await admin.until(() => document.querySelector('.table')?.textContent.includes('Nora Petit'));

      const guest = await Person.in(launched);
      await guest.visit(fresh.url + new URL(invitation).pathname);
      await guest.write('E-mail', 'nora@example.org');
      await guest.page.type('input[type=password]', 'une phrase assez longue');
      await guest.click('button', 'Créer mon accès');
      await guest.see('navigation', 'Conversations');

      await admin.click('link', 'Personnes');
      await admin.until(() => document.querySelectorAll('.table.people li').length === 2);
      await admin.page.evaluate(() => [...document.querySelectorAll('.table.people li')].find((one) => one.textContent.includes('Nora')).querySelector('.table-ways button').click());
      await admin.until(() => document.querySelector('.table.people .off')?.textContent.includes('Compte désactivé'));
      await guest.see('dialog', 'Reconnectez-vous');
      await admin.click('link', 'Diagnostic');
      await admin.until(() => document.querySelector('.facts')?.textContent.includes('Version'));
      assert.deepEqual([...admin.complaints, ...guest.complaints], []);
      await Promise.all([admin.close(), guest.close()]);
    } finally {
      await fresh.stop();
    }
  });
});
