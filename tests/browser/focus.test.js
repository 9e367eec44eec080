/** The focus is never lost: after every dialog and whatever takes away what had it, one goes on by keyboard from nearby. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { anew } from './anew.js';
import { CHOSEN } from './person.js';

const SAID = [
  { by: 'juriste1', content: 'Bonjour' },
  { by: 'client1', content: 'Bonjour Maître' },
  { by: 'client1', content: 'Une question' },
];

for (const name of CHOSEN) {
  describe(`${name}, focus`, { concurrency: 1 }, () => {
    const here = anew(name, SAID);
    let server, id;
    /** @type {import('./person.js').Person} */
    let a;
    beforeEach(async () => {
      ({ server, id } = here);
      a = await here.person();
      await a.enter(server.url, 'client');
      await a.openConversation(id);
      await a.hears('Une question');
      // What mends a lost focus is fetched after the first screen, as is what says who is written to.
      await a.page.waitForSelector('[data-announcer]');
      await a.page.waitForNetworkIdle({ idleTime: 500 });
    });

    /** Something that can be pressed or written into has the focus, and keeps it. @param {string} after what */
    async function isHeld(after) {
      await a.until(() => {
        const one = document.activeElement;
        const isHeld = one && one !== document.body && one.isConnected && !one.matches('dialog, :disabled')
          && (!document.querySelector('dialog[open]') || one.closest('dialog[open]'));
        if (!isHeld || one !== window.held) Object.assign(window, { held: isHeld ? one : null, heldSince: performance.now() });
        return isHeld && performance.now() - window.heldSince > 250;
      }).catch((error) => { throw new Error(`after ${after}: ${error.message}`); });
    }
    /** @param {string} role @param {string} name */
    async function press(role, name) {
      await (await a.see(role, name)).focus();
      await a.press('Enter');
    }
    const isOpen = () => a.page.waitForSelector('dialog[open] button, dialog[open] input');
    const isClosed = () => a.until(() => !document.querySelector('dialog[open]'));
    const focused = () => a.page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);

    test('it returns from every dialog to where it came from', async () => {
      await press('button', 'Nouvelle conversation');
      await isOpen();
      await isHeld('opening the directory');
      await a.press('Escape');
      await isClosed();
      await isHeld('the directory');
      assert.equal(await focused(), 'Nouvelle conversation');

      await press('button', 'Exporter la conversation');
      await isOpen();
      await isHeld('opening the export');
      await a.press('Escape');
      await isClosed();
      await isHeld('the export');
      assert.match(await focused(), /Exporter/);

      await a.tabBackTo('article');
      // What one walks over by key is told as a whole sentence, by the tree that assistive technology reads too.
      const told = await focused();
      assert.match(told, /^Vous, \d\d:\d\d, Une question, (Envoyé|Lu)/);
      await a.see('article', told);
      for (const [key, what] of [['Enter', 'the menu'], ['+', 'reacting'], ['i', 'what is known of a message'], ['Delete', 'deleting'], ['?', 'the list of keys']]) {
        await (key === '+' || key === '?' ? a.page.keyboard.type(key) : a.press(key));
        await isOpen();
        await isHeld(`opening ${what}`);
        await a.press('Escape');
        await isClosed();
        await isHeld(what);
        assert.match(await focused(), /Une question/, what);
      }
      await a.press('Control', 'k');
      await isOpen();
      await isHeld('opening the search');
      await a.press('Escape');
      await isClosed();
      await isHeld('the search');
      assert.match(await focused(), /Une question/);

      await a.page.setViewport({ width: 800, height: 800 });
      await press('button', 'Détails');
      await isOpen();
      await isHeld('opening the details');
      await a.press('Escape');
      await isClosed();
      await isHeld('the details');
      assert.equal(await focused(), 'Détails');
    });

    test('what an action takes away hands it to what stands nearby', async () => {
      await a.tabBackTo('article');
      await a.press('Delete');
      await isOpen();
      await a.press('Enter');
      await isClosed();
      await a.until(() => document.querySelector('[role=log] article:last-child').textContent.includes('Message supprimé'));
      await isHeld('deleting a message');

      await a.stage([{ name: 'a.txt', type: 'text/plain', text: 'a' }, { name: 'b.txt', type: 'text/plain', text: 'b' }]);
      await a.until(() => document.querySelectorAll('.staged-file').length === 2 && !document.querySelector('.staged progress'));
      await press('button', 'Retirer a.txt');
      await a.until(() => document.querySelectorAll('.staged-file').length === 1);
      await isHeld('taking out a file');
      assert.match(await focused(), /b\.txt/, 'the next one');
      await press('button', 'Retirer b.txt');
      await a.until(() => !document.querySelector('.staged'));
      await isHeld('taking out the last file');

      await a.leaveRefused(id);
      await a.page.waitForSelector('.refusal');
      await a.page.waitForSelector('[data-announcer]');
      await a.page.waitForNetworkIdle({ idleTime: 500 });
      await press('button', 'Supprimer');
      await a.until(() => !document.querySelector('.refusal'));
      await isHeld('giving up a message');

      await a.visit(`${server.url}/recherche?q=Bonjour&hasFile=true`);
      await a.page.waitForSelector('.chips');
      await a.page.waitForSelector('[data-announcer]');
      await a.page.waitForNetworkIdle({ idleTime: 500 });
      await press('button', 'Tout effacer');
      await a.page.waitForSelector('.result');
      await isHeld('clearing the filters');

      await server.signIn('client1');
      await a.visit(`${server.url}/moi`);
      await a.page.waitForSelector('.table li button');
      await a.page.waitForSelector('[data-announcer]');
      await a.page.waitForNetworkIdle({ idleTime: 500 });
      const devices = await a.page.$$eval('.table li', (all) => all.length);
      await a.page.focus('.table li button');
      await a.press('Enter');
      await a.until((before) => document.querySelectorAll('.table li').length < before, devices);
      await isHeld('ending a session');
    });

    test('whoever lets go of it with the pointer is left alone', async () => {
      await (await a.see('textbox', 'Votre message')).focus();
      await a.page.mouse.click(700, 30);
      await a.until(() => document.activeElement === document.body);
      await server.send(await server.tokenOf('juriste1'), id, 'autre chose');
      await a.hears('autre chose');
      await a.never(500, () => document.activeElement !== document.body);
    });

    test('who chose to send with Ctrl and Enter begins a line with Enter, and the list of keys says so', async () => {
      await a.visit(`${server.url}/moi`);
      await (await a.see('combobox', 'Envoyer avec')).select('ctrl');
      await a.until(() => localStorage.getItem('lexchat.send') === 'ctrl');
      await a.openConversation(id);
      await a.page.keyboard.type('un');
      await a.press('Enter');
      await a.page.keyboard.type('deux');
      await a.until(() => document.querySelector('.composer textarea').value === 'un\ndeux');
      await a.press('Control', 'Enter');
      await a.fateIs('deux', 'Envoyé', 'Lu');
      await a.tabBackTo('article');
      await a.page.keyboard.type('?');
      await a.until(() => [...document.querySelectorAll('dialog[open] .keys div')].some((row) => row.textContent.includes('Ctrl Entrée') && row.textContent.includes('Envoyer')));
    });

    test('files are renamed and put in order before they leave', async () => {
      await a.stage(['IMG_2031.txt', 'deuxième.txt', 'troisième.txt'].map((file) => ({ name: file, type: 'text/plain', text: file })));
      await a.until(() => document.querySelectorAll('.staged-file').length === 3 && !document.querySelector('.staged progress'));
      await press('button', 'Renommer ou déplacer IMG_2031.txt');
      await a.see('dialog', 'Nom et place du fichier');
      await a.until(() => document.activeElement?.matches('dialog input') && document.activeElement.selectionEnd === 'IMG_2031'.length);
      await a.page.keyboard.type('bail signé');
      await (await a.see('combobox', 'Place')).select('2');
      await press('button', 'Enregistrer');
      await isClosed();
      const names = () => a.page.$$eval('.staged-file .ellipsis', (all) => all.map((one) => one.textContent));
      await a.until(() => document.querySelector('.staged-file:last-child .ellipsis')?.textContent === 'bail signé.txt' && !document.querySelector('.staged progress'));
      assert.deepEqual(await names(), ['deuxième.txt', 'troisième.txt', 'bail signé.txt']);
      assert.ok(await a.page.evaluate(() => document.activeElement.matches('.composer textarea')), 'one goes on to send');
      // By pointer, without the question.
      await a.page.evaluate(() => {
        const [first, , last] = document.querySelectorAll('.staged-file');
        const dragged = (type, on) => on.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() }));
        dragged('dragstart', last);
        window.dragged = dragged;
        window.first = first;
      });
      await a.frame();
      await a.page.evaluate(() => { window.dragged('dragover', window.first); window.dragged('drop', window.first); });
      await a.until(() => document.querySelector('.staged-file .ellipsis').textContent === 'bail signé.txt');
      await a.press('Enter');
      await a.see('button', 'Télécharger bail signé.txt');
      await a.until(() => !document.querySelector('.queued, .sending'));
      const { body } = await server.call('GET', `/messages?conversationId=${id}`, { token: await server.tokenOf('juriste1') });
      assert.deepEqual(body.at(-1).files.map((file) => file.name), ['bail signé.txt', 'deuxième.txt', 'troisième.txt']);
      const bytes = await server.call('GET', body.at(-1).files[0].url, { token: await server.tokenOf('juriste1') });
      assert.equal(bytes.body, 'IMG_2031.txt', 'the bytes are those that were chosen');
    });
  });
}
