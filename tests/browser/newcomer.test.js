/** Three minutes of somebody who has read nothing: only what stands on the screen is used, in two windows of one browser. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CHOSEN, Person, launch } from './person.js';
import { pdf, picture } from './picture.js';
import { room } from './room.js';
import { Server } from './server.js';

const MINUTES = 3;

for (const name of CHOSEN) {
  describe(`${name}, a newcomer`, { concurrency: 1 }, () => {
    let launched, server;
    before(async () => {
      launched = await launch(name);
      server = await Server.start([], { talks: true });
    });
    after(async () => {
      await launched.close();
      await server.stop();
    });

    test('text, picture, PDF and reaction cross, the conversation is printed, and a word is found again', async () => {
      const began = performance.now();
      const a = await Person.in(launched);
      await a.page.evaluateOnNewDocument(() => { window.print = () => { window.printed = true; }; });
      await a.enter(server.url, 'client');
      // The other window is offered, and is somebody else in the same browser.
      const offered = await (await a.see('link', 'Ouvrir une fenêtre comme juriste')).evaluate(({ href, target }) => ({ href, target }));
      assert.equal(offered.target, '_blank');
      const b = await a.window();
      await b.visit(offered.href);
      await b.see('navigation', 'Conversations');

      const chooses = async (person, peer) => {
        await person.clickOn(`nav .row ::-p-text(${peer})`);
        await person.see('log', 'Messages');
      };
      await chooses(b, 'Camille Moreau');
      await a.page.bringToFront();
      await chooses(a, 'Hélène Rousseau');

      await a.write('Votre message', 'Bonjour Maître, voici la lettre de résiliation.');
      await a.click('button', 'Envoyer');
      await b.hears('voici la lettre de résiliation');
      await a.see('button', 'Joindre un fichier');
      await a.stage([{ name: 'lettre.png', type: 'image/png', base64: picture(240, 160) }, { name: 'bail.pdf', type: 'application/pdf', base64: pdf('').toString('base64') }]);
      await a.until(() => document.querySelectorAll('.staged-file').length === 2 && !document.querySelector('.staged progress'));
      await a.click('button', 'Envoyer');

      await b.page.bringToFront();
      await b.until(() => [...document.querySelectorAll('[role=log] .picture img')].at(-1)?.naturalWidth === 240);
      await b.click('button', 'Ouvrir lettre.png');
      await b.see('dialog', 'lettre.png');
      await b.click('button', 'Fermer');
      await b.until(() => !document.querySelector('dialog[open]'));
      await b.click('button', 'Ouvrir bail.pdf');
      await b.page.waitForSelector('iframe.lightbox-pdf');
      // Not by pointer: while a PDF is shown one browser does not answer what moves it.
      await (await b.see('button', 'Fermer')).focus();
      await b.press('Enter');
      await b.until(() => !document.querySelector('dialog[open]'));
      await b.page.hover('[role=log] article:last-child .bubble');
      await b.click('button', 'Réagir');
      await b.see('dialog', 'Réagir');
      await b.click('button', '👍');
      await b.write('Votre message', 'Bien reçu, merci.');
      await b.click('button', 'Envoyer');
      await a.hears('Bien reçu');
      await a.until(() => [...document.querySelectorAll('.reaction')].at(-1)?.textContent.includes('👍'));

      await a.page.bringToFront();
      await a.click('button', 'Exporter la conversation');
      await a.click('button', 'Imprimer ce qui est affiché');
      await a.until(() => window.printed);

      await a.click('button', 'Recherche');
      await a.see('combobox', 'Chercher une personne ou un message');
      await a.page.keyboard.type('resiliation');
      await a.until(() => document.querySelector('.palette-list mark')?.textContent === 'résiliation');
      await a.clickOn('.palette-list [role=option]:has(mark)');
      await a.until(() => !document.querySelector('dialog[open]') && /\/m\/\d+$/.test(location.pathname));
      await a.until(() => !('highlights' in CSS) || CSS.highlights.get('hit')?.size > 0);
      const minutes = (performance.now() - began) / 60_000;
      console.log(`${name}: a newcomer's walk took ${(minutes * 60).toFixed(0)} s`);
      assert.ok(minutes <= MINUTES * room());
      assert.deepEqual(a.complaints, []);
      await a.close();
    });
  });
}
