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
      // It asks first, and says what follows.
      await admin.see('dialog', 'Fermer le compte de Nora Petit ?');
      await guest.never(300, () => document.querySelector('dialog[open]'));
      await admin.clickOn('dialog .button.danger');
      await admin.until(() => document.querySelector('.table.people .off')?.textContent.includes('Compte désactivé'));
      await guest.see('dialog', 'Reconnectez-vous');
      assert.deepEqual([...admin.complaints, ...guest.complaints], []);
      await Promise.all([admin.close(), guest.close()]);
    } finally {
      await fresh.stop();
    }
  });

  for (const name of CHOSEN) {
    test(`an administrator reads what there is to look after, and copies all of it, in ${name}`, async () => {
      const fresh = await Server.start(['--no-demo', '--sign-up', 'closed']);
      const own = await launch(name);
      try {
        const [, link] = await fresh.prints(/setup\s+(\S+)\s/);
        const admin = await Person.in(own);
        // What the browser was given, once it has taken it: reading its clipboard asks for a consent that no test can give.
        await admin.page.evaluateOnNewDocument(() => {
          // There is none on the empty page before.
          const write = navigator.clipboard?.writeText.bind(navigator.clipboard);
          if (write) navigator.clipboard.writeText = (text) => write(text).then(() => { window.taken = text; });
        });
        await admin.visit(fresh.url + new URL(link).pathname);
        await admin.write('Nom complet', 'Claire Fontaine');
        await admin.write('E-mail', 'claire@example.org');
        await admin.page.type('input[type=password]', 'une phrase assez longue');
        await admin.click('button', 'Créer le compte d’administration');
        await admin.see('navigation', 'Conversations');
        await admin.visit(`${fresh.url}/admin`);
        await admin.click('link', 'Diagnostic');
        await admin.until(() => document.querySelector('.facts')?.textContent.includes('Version'));
        // The connection begins by long-polling, and is another one a moment later.
        await admin.until(() => [...document.querySelectorAll('.checks li')].some((row) => row.textContent.trim().startsWith('✓') && row.textContent.includes('WebSocket')));
        const rows = await admin.page.$$eval('.checks li', (all) => all.map((one) => one.textContent));
        for (const told of ['Tout ce qui est confirmé est sur le disque', 'Aucune sauvegarde', 'Cette machine seule', 'WebSocket']) {
          assert.ok(rows.some((row) => row.includes(told)), `${told} in ${rows.join(' | ')}`);
        }
        // Each row says by a word what the mark says by its look, and what is not well says what mends it.
        assert.ok(rows.every((row) => /^[✓⚠✗] \S/.test(row.trim())), rows.join(' | '));
        assert.ok(rows.find((row) => row.includes('Aucune sauvegarde')).includes('lexchat backup --keep'));
        await admin.click('button', 'Copier le diagnostic');
        await admin.until(() => document.body.textContent.includes('Copié.'));
        const taken = await admin.page.evaluate(() => window.taken);
        for (const told of [/^lexchat\n/, /^✓ storage: /m, /^⚠ backup: .+\n {4}lexchat backup/m, /^✓ transport: /m, /^sign-up: closed$/m]) assert.match(taken, told);
        assert.doesNotMatch(taken, /undefined|\[object|une phrase|\/installation\//);
        assert.deepEqual(admin.complaints, []);
        await admin.close();
      } finally {
        await own.close();
        await fresh.stop();
      }
    });
  }
});
