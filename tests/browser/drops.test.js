/** What is dragged into the window and let go: files, text, both, folders; in the conversation and elsewhere. Nothing is lost, and nothing leads away. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { anew } from './anew.js';
import { CHOSEN } from './person.js';

const FOLDER = 'Un dossier ne peut pas être joint.';

for (const name of CHOSEN) {
  describe(`${name}, what is let go over the window`, { concurrency: 1 }, () => {
    const here = anew(name, [{ by: 'juriste1', content: 'Bonjour' }]);
    /** @type {import('./person.js').Person} */
    let person;
    beforeEach(async () => {
      person = await here.person();
      await person.enter(here.server.url, 'client');
      await person.openConversation(here.id);
      // What takes drags is fetched after the first screen.
      await person.until(() => {
        const data = new DataTransfer();
        data.items.add(new File(['x'], 'x'));
        document.body.dispatchEvent(new DragEvent('dragover', { bubbles: true, cancelable: true, dataTransfer: data }));
        return document.querySelector('.drop');
      });
      await person.page.evaluate(() => dispatchEvent(new DragEvent('dragleave')));
      await person.until(() => !document.querySelector('.drop'));
    });

    /**
     * Drags over an element and lets go there; or pastes there.
     * @param {string} selector @param {{text?: string, uri?: string, files?: string[]}} what
     * @returns {Promise<boolean[]>} whether the browser was kept from doing what it does by itself, at each step
     */
    const letGo = (selector, what, types = ['dragover', 'drop']) => person.page.evaluate((on, { text, uri, files = [] }, steps) => {
      const data = new DataTransfer();
      if (text) data.setData('text/plain', text);
      if (uri) data.setData('text/uri-list', uri);
      for (const file of files) data.items.add(new File(['du texte'], file, { type: 'text/plain' }));
      return steps.map((type) => {
        const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data });
        // The constructor of clipboard events drops files in some browsers.
        Object.defineProperty(event, 'clipboardData', { value: data });
        document.querySelector(on).dispatchEvent(event);
        return event.defaultPrevented;
      });
    }, selector, what, types);
    const staged = (...names) => person.until((wanted) => JSON.stringify([...document.querySelectorAll('.staged-file .ellipsis')].map((one) => one.textContent)) === JSON.stringify(wanted), names);
    const written = () => person.page.$eval('.composer textarea', (box) => box.value);

    test('files are taken wherever they are let go, and what is said beside them', async () => {
      await person.paste('Voici : ');
      assert.deepEqual(await letGo('.timeline', { files: ['bail.txt'], text: 'le bail' }), [true, true]);
      await staged('bail.txt');
      assert.equal(await written(), 'Voici : le bail');
      await person.until(() => !document.querySelector('.drop'));
      await letGo('.composer textarea', { files: ['acte.txt'], text: 'acte.txt' });
      await letGo('.list', { files: ['plan.txt'], text: 'https://exemple.fr/plan', uri: 'https://exemple.fr/plan' });
      await staged('bail.txt', 'acte.txt', 'plan.txt');
      assert.equal(await written(), 'Voici : le bail', 'neither its name nor its address');
    });

    test('text goes where one writes, and leads nowhere elsewhere', async () => {
      assert.deepEqual(await letGo('.composer textarea', { text: 'un mot' }), [false, false], 'the browser puts it there');
      assert.deepEqual(await letGo('.timeline', { text: 'https://exemple.fr', uri: 'https://exemple.fr' }), [true, true]);
      assert.equal(await written(), '');
    });

    test('where nobody takes files the page stays', async () => {
      await person.click('button', 'Nouvelle conversation');
      await person.see('dialog', 'Nouvelle conversation');
      assert.deepEqual(await letGo('dialog', { files: ['bail.txt'] }), [true, true]);
      await person.press('Escape');
      await person.until(() => !document.querySelector('dialog[open]'));
      await staged();
      await person.clickOn('a.list-me');
      await person.until(() => document.querySelector('.pane') && !document.querySelector('.composer'));
      assert.deepEqual(await letGo('.pane', { files: ['bail.txt'] }), [true, true]);
      await person.openConversation(here.id);
      await staged();
    });

    test('a folder is refused with a word, and what comes with it is taken', async () => {
      // A script cannot make one.
      await person.page.evaluate(() => {
        DataTransferItem.prototype.webkitGetAsEntry = function entry() { return { isDirectory: this.getAsFile().name === 'dossier' }; };
      });
      const told = () => person.until((text) => document.querySelector('.notice.alert')?.textContent.startsWith(text), FOLDER);
      await letGo('.timeline', { files: ['un.txt', 'dossier', 'deux.txt'] });
      await staged('un.txt', 'deux.txt');
      await told();
      await person.until(() => !document.querySelector('.notice.alert'));
      assert.deepEqual(await letGo('.composer textarea', { files: ['dossier'] }, ['paste']), [true]);
      await told();
      await staged('un.txt', 'deux.txt');
    });
  });
}
