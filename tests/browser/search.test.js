/** Looking for messages: the palette opens what stands under the words that are typed, and each as often as one likes; the page drops what one lets go. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { anew } from './anew.js';
import { CHOSEN } from './person.js';

for (const name of CHOSEN) {
  describe(`${name}, looking for messages`, { concurrency: 1 }, () => {
    const here = anew(name, [{ by: 'juriste1', content: 'Le préavis de Lyon' }, { by: 'client1', content: 'Le bail de Nantes' }]);
    let server, id;
    /** @type {import('./person.js').Person} */
    let person;
    beforeEach(async () => {
      ({ server, id } = here);
      person = await here.person();
      await person.enter(server.url, 'client');
      await person.openConversation(id);
    });

    /** Waits for what the palette lists by its texts. @param {...string} texts */
    const lists = (...texts) => person.until((wanted) => {
      const shown = [...document.querySelectorAll('.palette-list [role=option]')].map((one) => one.textContent);
      return shown.length === wanted.length && wanted.every((text, at) => shown[at].includes(text));
    }, texts);
    const flashed = (text) => person.until((wanted) => document.querySelector('article.flash')?.textContent.includes(wanted), text);
    async function openPalette() {
      await person.press('Control', 'k');
      await person.until(() => document.activeElement?.matches('.palette-field'));
    }

    test('Enter never opens what was found for the words of before', async () => {
      await person.until(() => document.querySelector('[data-announcer]'));
      await openPalette();
      await person.page.keyboard.type('préavis');
      await lists('préavis de Lyon', 'préavis');
      // What is found for the next words takes its time.
      await person.page.evaluate(() => {
        const { fetch } = window;
        window.fetch = (path, options) => (String(path).includes('q=bail') ? new Promise((resolve) => { window.answer = () => resolve(fetch(path, options)); }) : fetch(path, options));
        const field = document.querySelector('.palette-field');
        field.value = 'bail';
        field.dispatchEvent(new Event('input', { bubbles: true }));
      });
      await lists('bail');
      await person.until(() => window.answer);
      await person.press('Enter');
      await person.until(() => location.pathname + location.search === '/recherche?q=bail');
      await person.page.evaluate(() => window.answer());
    });

    test('an answer that comes late does not stand under other words', async () => {
      await person.until(() => document.querySelector('[data-announcer]'));
      await openPalette();
      await person.page.evaluate(() => {
        const { fetch } = window;
        window.held = [];
        window.fetch = (path, options) => (String(path).includes('q=pr') ? new Promise((resolve) => { window.held.push(() => resolve(fetch(path, options))); }) : fetch(path, options));
      });
      await person.page.keyboard.type('pr');
      await person.until(() => window.held.length);
      await person.page.evaluate(() => {
        const field = document.querySelector('.palette-field');
        field.value = 'bail';
        field.dispatchEvent(new Event('input', { bubbles: true }));
      });
      await lists('bail de Nantes', 'bail');
      await person.page.evaluate(() => window.held.forEach((release) => release()));
      await person.never(700, () => document.querySelector('.palette-list').textContent.includes('Lyon'));
    });

    test('one hit is opened twice in a row', async () => {
      await person.until(() => document.querySelector('[data-announcer]'));
      for (let round = 0; round < 2; round += 1) {
        await openPalette();
        await person.page.keyboard.type('préavis');
        await lists('préavis de Lyon', 'préavis');
        await person.press('Enter');
        await flashed('préavis de Lyon');
        await person.until(() => !document.querySelector('article.flash') && !document.querySelector('dialog[open]'));
      }
    });

    test('whoever asks the palette for all messages looks everywhere, whomever and whenever was looked for before', async () => {
      const sender = (await server.signIn('juriste1')).user.id;
      await person.visit(`${server.url}/recherche?q=Le&senderId=${sender}&from=2020-01-01`);
      const finds = (...texts) => person.until((wanted) => JSON.stringify([...document.querySelectorAll('.result-text')].map((one) => one.textContent)) === JSON.stringify(wanted), texts);
      await finds('Le préavis de Lyon');
      const narrowed = () => person.page.$$eval('.chips .on', (all) => all.length);
      assert.equal(await narrowed(), 2);
      await openPalette();
      await person.page.keyboard.type('Le');
      await person.until(() => document.querySelectorAll('.palette-list .palette-text').length === 2);
      await person.press('ArrowUp');
      await person.press('Enter');
      await person.until(() => location.search === '?q=Le');
      await finds('Le bail de Nantes', 'Le préavis de Lyon');
      assert.equal(await narrowed(), 0);
      assert.equal(await person.page.evaluate(() => location.search), '?q=Le', 'nor does it come back');
    });
  });
}
