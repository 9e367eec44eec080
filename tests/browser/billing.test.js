/** A bill from the first line that is typed to the money that goes back, in the windows of both, against a small Stripe. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHOSEN, Person, launch } from './person.js';
import { Server } from './server.js';
import { Stripe } from './stripe.js';
import { PRACTICE } from './practice.js';

/** Until an element with this text is there. @param {Person} person @param {string} selector @param {string} text */
const shows = (person, selector, text) =>
  person.until((where, wanted) => [...document.querySelectorAll(where)].some((one) => one.textContent.replace(/\s+/g, ' ').includes(wanted)), selector, text);

for (const name of CHOSEN) {
  describe(name, { concurrency: 1 }, () => {
    let launched, stripe, server, secrets, id;
    before(async () => {
      launched = await launch(name);
      stripe = await Stripe.start();
      secrets = mkdtempSync(join(tmpdir(), 'lexchat-billing-'));
      server = await Server.start(stripe.flags(secrets));
      stripe.hook = `${server.url}/hooks/stripe`;
      id = await server.conversation();
      const saved = await server.call('PATCH', '/admin/practice', { token: await server.tokenOf('admin'), body: PRACTICE });
      assert.equal(saved.status, 200, JSON.stringify(saved.body));
    });
    after(async () => {
      await launched.close();
      await server.stop();
      await stripe.stop();
      rmSync(secrets, { recursive: true });
    });

    test('a juriste bills, the client pays, the juriste gives it back, and every window says so', async () => {
      const [juriste, client] = [await Person.in(launched), await Person.in(launched)];
      await juriste.enter(server.url, 'juriste');
      const list = await juriste.window();
      await list.visit(`${server.url}/factures`);
      await client.enter(server.url, 'client');
      await client.visit(`${server.url}/moi`);
      await client.see('textbox', 'Ville');

      // What is wrong is said at its field, and what the client is called is known to them as soon as it is saved.
      await juriste.page.bringToFront();
      await juriste.openConversation(id);
      await juriste.click('button', 'Facturer');
      await juriste.click('button', 'Enregistrer ce client');
      await juriste.until(() => document.activeElement?.getAttribute('aria-invalid') === 'true');
      await juriste.write('Adresse', '3 place Bellecour');
      await juriste.write('Code postal', '69002');
      await juriste.write('Ville', 'Lyon');
      await juriste.click('button', 'Enregistrer ce client');
      await shows(juriste, 'address', '69002 Lyon');
      await client.until(() => document.querySelector('[id="f-address-city"]')?.value === 'Lyon');

      await juriste.click('button', 'Émettre');
      await shows(juriste, '.bill-line .field-fault', 'À remplir.');
      await juriste.write('Désignation', 'Rédaction de conclusions');
      await juriste.write('Prix unitaire HT (€)', '240');
      await shows(juriste, '.bill-totals', '288,00 €');
      await shows(juriste, '[role=status]', 'Brouillon enregistré.');
      await shows(list, '.bill-row', 'Brouillon de facture');
      await juriste.click('button', 'Émettre');
      await juriste.click('button', 'Émettre définitivement');
      await shows(juriste, 'h1', 'Facture F2');
      await shows(list, '.bill-row', 'À payer');
      await shows(list, '.bill-owed div:first-child dd', '288,00 €');

      await client.page.bringToFront();
      await client.visit(`${server.url}/c/${id}`);
      await shows(client, '.invoice', '288,00 € à payer au plus tard le');
      await client.click('button', 'Payer');
      await client.click('button', 'Payer par carte');
      await shows(client, '.invoice', 'Payée');
      await shows(juriste, '.bill-tag', 'Payée');
      await shows(list, '.bill-row', 'Payée');
      await list.until(() => document.querySelector('.bill-owed div:first-child dd')?.textContent.startsWith('0,00'));
      assert.equal(await client.page.$('.invoice .primary'), null, 'what is paid is not to be paid again');

      await juriste.page.bringToFront();
      await juriste.click('button', 'Faire un avoir');
      await juriste.write('Motif (imprimé sur l’avoir)', 'Audience annulée');
      await juriste.click('button', 'Émettre l’avoir');
      for (const [person, where] of [[juriste, '.bill-tag'], [list, '.bill-row'], [client, '.invoice']]) await shows(person, where, 'Remboursée');
      await shows(client, '.invoice', 'Avoir A2');
      const refunds = Object.values(stripe.refunds).map((one) => one.amount);
      assert.deepEqual(refunds, [28_800], 'it went back once, and all of it');
      for (const person of [juriste, client]) {
        assert.deepEqual(person.complaints, []);
        await person.close();
      }
    });

    test('what came too much goes back, and a bill is reminded of, previewed and listed in a file', async () => {
      const token = await server.tokenOf('juriste1');
      const lines = [{ description: 'Audience', quantity: 1_000, unitPriceCents: 10_000, vatRateBp: 2_000, kind: 'fee' }];
      const draft = async () => (await server.call('POST', '/invoices', { token, body: { conversationId: id, lines } })).body;
      const issued = async () => (await server.call('POST', `/invoices/${(await draft()).id}/issue`, { token })).body;
      const [paid, open, typed] = [await issued(), await issued(), await draft()];
      const page = await server.call('POST', `/invoices/${paid.id}/checkout`, { token: await server.tokenOf('client1') });
      await stripe.pay(page.body.url.split('/').at(-1));
      const before = Object.keys(stripe.refunds).length;

      const juriste = await Person.in(launched);
      await juriste.enter(server.url, 'juriste');
      await juriste.visit(`${server.url}/factures/${paid.id}`);
      await shows(juriste, '.bill-tag', 'Payée');
      await juriste.click('button', 'Noter un paiement');
      const amount = await juriste.see('textbox', 'Montant (€)');
      await amount.click({ count: 3 });
      await juriste.page.keyboard.type('50');
      await juriste.click('button', 'Enregistrer');
      await shows(juriste, '.bill-tag', 'Trop-perçu à rendre');
      await juriste.click('button', 'Rembourser le trop-perçu');
      await juriste.click('button', 'Rembourser');
      await shows(juriste, '.bill-tag', 'Payée');
      const refunds = Object.values(stripe.refunds).slice(before).map((one) => one.amount);
      assert.deepEqual(refunds, [5_000], 'what was too much went back, once');

      for (const [status, tag] of [['needs_response', 'Paiement contesté'], ['lost', 'Payée en partie']]) {
        await stripe.dispute(page.body.url.split('/').at(-1), status);
        await shows(juriste, '.bill-tag', tag);
      }
      await shows(juriste, '.section', 'Litige perdu');

      await juriste.visit(`${server.url}/factures/${open.id}`);
      await juriste.click('button', 'Relancer');
      await shows(juriste, '[role=status]', 'Le rappel est dans la conversation.');
      const { body: messages } = await server.call('GET', `/messages?conversationId=${id}`, { token });
      assert.equal(messages.at(-1).content, `Rappel\u00a0: Facture ${open.number}`);

      // What is made in the window is looked at where it is made: each browser shows and saves it in its own way.
      const made = async (path, button) => {
        await juriste.visit(`${server.url}${path}`);
        await juriste.page.evaluate(() => {
          const make = URL.createObjectURL;
          URL.createObjectURL = (file) => make.call(URL, (window.made = file));
          window.open = () => /** @type {any} */ ({ location: { replace: () => {} }, close: () => {} });
        });
        await juriste.click('button', button);
        await juriste.until(() => Boolean(window.made));
        return juriste.page.evaluate(() => window.made.text());
      };
      assert.match(await made(`/factures/${typed.id}`, 'Aperçu PDF'), /^%PDF-/);
      const rows = (await made('/factures', 'Exporter (CSV)')).split('\r\n');
      assert.ok(rows.some((row) => row.startsWith(open.number) && row.includes('120,00')), rows.join('\n'));
      assert.deepEqual(juriste.complaints, []);
      await juriste.close();
    });

    test('where nothing can be paid here, the card says how to transfer it', async () => {
      await server.kill();
      server.flags = [];
      await server.resume();
      const token = await server.tokenOf('juriste1');
      const lines = [{ description: 'Consultation', quantity: 1_000, unitPriceCents: 10_000, vatRateBp: 2_000, kind: 'fee' }];
      const draft = await server.call('POST', '/invoices', { token, body: { conversationId: id, lines } });
      const bill = await server.call('POST', `/invoices/${draft.body.id}/issue`, { token });
      const client = await Person.in(launched);
      await client.enter(server.url, 'client');
      await client.openConversation(id);
      await shows(client, '.transfer', 'FR76 3000 6000 0112 3456 7890 189');
      await shows(client, '.transfer', bill.body.number);
      assert.ok(await client.page.$('.transfer-code path[d^="M"]'), 'the code is drawn');
      assert.equal(await client.page.$('::-p-aria([role="button"][name="Payer"])'), null);
      await client.page.evaluate(() => {
        window.open = () => /** @type {any} */ ({ location: { replace: (url) => (window.opened = url) }, close: () => {} });
      });
      await client.page.waitForSelector('.invoice .button');
      await client.page.$$eval('.invoice .button', (all) => /** @type {HTMLElement} */ (all.at(-1)).click());
      await client.until(() => Boolean(window.opened));
      const head = await client.page.evaluate(async () => (await (await fetch(window.opened)).text()).slice(0, 5));
      assert.equal(head, '%PDF-', '"Voir la facture" opens the document, without a token in a header');
      assert.deepEqual(client.complaints, []);
      await client.close();
    });

    test('an administrator takes out what the accountant needs', async () => {
      const admin = await Person.in(launched);
      await admin.signIn(server, 'admin');
      await admin.visit(`${server.url}/admin?partie=cabinet`);
      for (const [button, beginning] of [
        ['Factures (CSV)', 'numero;'], ['Paiements (CSV)', 'date;'], ['Tout, avec les documents (ZIP)', 'PK'],
      ]) {
        await admin.see('button', button);
        await admin.page.evaluate(() => {
          const make = URL.createObjectURL;
          window.made = null;
          URL.createObjectURL = (file) => make.call(URL, (window.made = file));
          HTMLAnchorElement.prototype.click = () => {};
        });
        await admin.click('button', button);
        await admin.until(() => Boolean(window.made));
        const text = await admin.page.evaluate(() => window.made.text());
        assert.ok(text.replace('\uFEFF', '').startsWith(beginning), `${button}: ${text.slice(0, 40)}`);
      }
      assert.deepEqual(admin.complaints, []);
      await admin.close();
    });

    test('an administrator fills in the practice, is told what is missing, and what is to be transmitted is marked', async () => {
      const admin = await Person.in(launched);
      await admin.signIn(server, 'admin');
      await admin.visit(`${server.url}/admin?partie=cabinet`);
      await shows(admin, '.section', 'Toutes les mentions obligatoires sont là');
      await (await admin.see('combobox', 'Profession')).select('other');
      await admin.see('textbox', 'Autorisation (loi 71-1130, art. 54)');
      await admin.click('button', 'Enregistrer');
      await shows(admin, '.bill-missing', 'Autorisation');
      await shows(admin, '.bill-missing', 'Médiateur');
      await (await admin.see('combobox', 'Profession')).select('avocat');
      await admin.click('button', 'Enregistrer');
      await shows(admin, '.section', 'Toutes les mentions obligatoires sont là');
      const token = await server.tokenOf('admin');
      await admin.page.$eval('[id="f-siren"]', (field) => {
        field.focus();
        /** @type {HTMLInputElement} */ (field).select();
      });
      await admin.page.keyboard.type('732829321');
      await admin.click('button', 'Enregistrer');
      await shows(admin, '.field-fault', 'SIREN');
      const { body: practice } = await server.call('GET', '/admin/practice', { token });
      assert.deepEqual([practice.profession, practice.siren], ['avocat', PRACTICE.siren]);
      assert.deepEqual(admin.complaints, []);
      await admin.close();

      await server.call('PATCH', '/admin/practice', { token, body: { eInvoicingFrom: '2026-01-01' } });
      const buyer = { kind: 'company', name: 'Étoile & Fils SAS', siren: '552100554', address: PRACTICE.address };
      const lines = [{ description: 'Consultation', unitPriceCents: 10_000, vatRateBp: 2_000 }];
      const mine = await server.tokenOf('juriste1');
      const draft = await server.call('POST', '/invoices', { token: mine, body: { conversationId: id, lines, buyer } });
      await server.call('POST', `/invoices/${draft.body.id}/issue`, { token: mine });
      const juriste = await Person.in(launched);
      await juriste.enter(server.url, 'juriste');
      await juriste.openConversation(id);
      await shows(juriste, '.invoice', 'À déposer sur une plateforme agréée');
      await juriste.visit(`${server.url}/factures`);
      await shows(juriste, '.bill-row', 'À déposer');
      assert.deepEqual(juriste.complaints, []);
      await juriste.close();
    });
  });
}
