/** The twelve acceptance stories of the page, each in every browser: two people, the real server, roles and names. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { CHOSEN, Person, launch } from './person.js';
import { Wire } from './proxy.js';
import { Server } from './server.js';
import { HOSTILE, HOSTILE_NAMES } from './hostile.js';
import { picture } from './picture.js';
import { room } from './room.js';
import { until } from '../support/node.mjs';

/** The best of several attempts is what the page can do. */
const ATTEMPTS = 5;
const BUBBLE_AT_ONCE_MS = 33;
const ACROSS_MS = 100;
const READ_ELSEWHERE_MS = 1_000;

/** Whether client1's storage holds a record with each of these texts; runs in the page. @param {'outbox'|'drafts'} store @param {string[]} texts */
async function kept(store, texts) {
  // Opening a database that is not there would make one without stores.
  if (!(await indexedDB.databases()).some((one) => one.name === 'lexchat-1')) return false;
  return new Promise((resolve) => {
    const opening = indexedDB.open('lexchat-1');
    opening.onsuccess = () => {
      const all = opening.result.transaction(store).objectStore(store).getAll();
      all.onsuccess = () => {
        opening.result.close();
        resolve(texts.every((text) => all.result.some((one) => (one.content ?? one.text) === text)));
      };
    };
  });
}

for (const name of CHOSEN) {
  describe(name, { concurrency: 1 }, () => {
    /** @type {Awaited<ReturnType<typeof launch>>[]} */
    let browsers = [];
    /** @type {Server} */
    let server;
    /** @type {Person[]} */
    let people = [];

    before(async () => { browsers = [await launch(name), await launch(name)]; });
    after(() => Promise.all(browsers.map((one) => one.close())));
    beforeEach(async () => { server = await Server.start(); });
    afterEach(async () => {
      const complaints = people.flatMap((person) => person.complaints);
      await Promise.all(people.map((person) => person.close()));
      people = [];
      await server.stop();
      assert.deepEqual(complaints, [], 'nothing went wrong in a page, and its policy was never violated');
    });

    /** @param {'client'|'juriste'} as @param {{url?: string, query?: string, size?: object}} [options] */
    async function somebody(as, { url = server.url, query = '', size } = {}) {
      const person = await Person.in(browsers[as === 'client' ? 0 : 1], size);
      people.push(person);
      await person.enter(`${url}/${query}`, as);
      return person;
    }

    /** Both in their conversation. @param {number} id */
    async function both(id) {
      const a = await somebody('client');
      const b = await somebody('juriste');
      await a.openConversation(id);
      await b.openConversation(id);
      return { a, b };
    }

    test('1: a message stands at once, crosses quickly, and is told as read when it was looked at', async () => {
      const id = await server.conversation([{ by: 'juriste1', content: 'Bonjour' }]);
      const { a, b } = await both(id);
      await a.hears('Bonjour');
      for (const person of [a, b]) {
        await person.page.evaluate(() => {
          const log = document.querySelector('[role=log]');
          const now = () => performance.timeOrigin + performance.now();
          window.arrivedAt = {};
          window.enteredAt = [];
          window.inFrame = [];
          new MutationObserver(() => {
            for (const one of log.querySelectorAll('.text')) window.arrivedAt[one.textContent] ??= now();
          }).observe(log, { childList: true, subtree: true });
          addEventListener('keydown', (event) => {
            if (event.key !== 'Enter') return;
            const { value } = document.querySelector('.composer textarea');
            window.enteredAt.push(now());
            requestAnimationFrame(() => window.inFrame.push(value in window.arrivedAt));
          }, true);
        });
      }
      const own = [];
      const across = [];
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const text = `message ${attempt}`;
        await a.say(text);
        await b.hears(text);
        await a.fateIs(text, 'Lu');
        const { entered, shown } = await a.page.evaluate((said) => ({ entered: window.enteredAt.at(-1), shown: window.arrivedAt[said] }), text);
        own.push(shown - entered);
        across.push(await b.page.evaluate((said) => window.arrivedAt[said], text) - entered);
      }
      console.log(`${name}: own bubble after ${Math.min(...own).toFixed(1)} ms, with the other one after ${Math.min(...across).toFixed(1)} ms`);
      assert.deepEqual(await a.page.evaluate(() => window.inFrame), Array(ATTEMPTS).fill(true), 'in the frame of the key');
      const given = room();
      assert.ok(Math.min(...own) <= BUBBLE_AT_ONCE_MS * given, `${own} ms`);
      assert.ok(Math.min(...across) <= ACROSS_MS * given, `${across} ms`);
    });

    test('2: messages written while the server is dead arrive once each and in order, after a reload of the page without its server', async () => {
      const id = await server.conversation();
      const { a, b } = await both(id);
      await a.say('avant');
      await a.isSent('avant');
      await a.isKept();
      await server.kill();
      for (const text of ['un', 'deux', 'trois']) await a.say(text);
      await a.fateIs('trois', 'En attente');
      assert.deepEqual((await a.texts()).slice(-3), ['un', 'deux', 'trois']);
      await a.paste('à moitié écrit');
      await a.until(kept, 'outbox', ['un', 'deux', 'trois']);
      await a.until(kept, 'drafts', ['à moitié écrit']);

      await a.page.reload({ waitUntil: 'load' });
      await a.fateIs('trois', 'En attente');
      assert.deepEqual(await a.texts(), ['un', 'deux', 'trois'], 'what waits, and nothing that was said before');
      await a.until(() => document.querySelector('.link-state')?.textContent.includes('Vos messages partiront à la reconnexion'));
      assert.equal(await a.page.$eval('.composer textarea', (box) => box.value), 'à moitié écrit');
      assert.match(await a.page.$eval('nav .row[aria-current]', (row) => row.textContent), /Hélène Rousseau/);
      await a.paste('quatre');
      await a.press('Enter');

      await server.resume();
      await b.hears('quatre');
      await a.isSent('quatre');
      for (const person of [a, b]) {
        await person.until((all) => JSON.stringify([...document.querySelectorAll('[role=log] article .text')].map((one) => one.textContent)) === all, JSON.stringify(['avant', 'un', 'deux', 'trois', 'quatre']));
      }
      await a.until(() => !document.querySelector('.link-state p, .queued, .sending'));
    });

    test('3: when the acknowledgement is lost there is one copy after reconnecting', async () => {
      const id = await server.conversation();
      const wire = await Wire.to(server.port);
      try {
        const a = await somebody('client', { url: wire.url, query: '?transport=websocket' });
        const b = await somebody('juriste');
        await a.openConversation(id);
        await b.openConversation(id);
        await a.say('avant');
        await b.hears('avant');
        await a.fateIs('avant', 'Lu');
        wire.deaf = true;
        await a.say('une seule fois');
        await b.hears('une seule fois');
        await a.fateIs('une seule fois', 'En attente');
        wire.cut();
        wire.deaf = false;
        await a.fateIs('une seule fois', 'Lu');
        await a.say('après');
        await b.hears('après');
        assert.deepEqual(await b.texts(), ['avant', 'une seule fois', 'après']);
        assert.deepEqual(await a.texts(), ['avant', 'une seule fois', 'après']);
      } finally {
        wire.close();
      }
    });

    test('4: a refused message says why and never looks sent', async () => {
      const id = await server.conversation();
      const { a, b } = await both(id);
      await a.leaveRefused(id);
      await a.fateIs('xxx', 'Non envoyé');
      await a.until(() => document.querySelector('.refusal[role=alert]')?.textContent.length > 20);
      await a.say('le suivant passe');
      await b.hears('le suivant passe');
      assert.ok(!(await b.texts()).some((text) => text.includes('xxx')));
      assert.ok(await a.page.evaluate(() => !document.querySelector('.message.failed').getAttribute('aria-label').includes('Envoyé,')));
      await a.click('button', 'Modifier');
      await a.until(() => document.querySelector('textarea').value.length === 10_001 && !document.querySelector('.message.failed'));
      await a.paste('plus court');
      await a.press('Enter');
      await b.hears('plus court');
    });

    test('5: who reads further up is not moved, and reads nothing unseen', async () => {
      const id = await server.conversation();
      await server.flood(id, 2_000);
      const { a, b } = await both(id);
      await b.hears('message 2000');
      await b.page.focus('[role=log] article:last-child');
      // Up through the pages, as a wheel would.
      await b.until(() => {
        const log = document.querySelector('[role=log]');
        log.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));
        log.scrollTop = Math.max(0, log.scrollTop - 3_000);
        return [...log.querySelectorAll('.text')].some((one) => /^message [1-9]\d?$/.test(one.textContent));
      });
      await b.page.evaluate(() => { document.querySelector('[role=log]').scrollTop = 1_200; });
      await b.still();
      const rows = await b.page.evaluate(() => document.querySelectorAll('[role=log] article').length);
      assert.ok(rows <= 420, `${rows} rows are in the document`);
      const measure = () => b.page.evaluate((text) => {
        const all = [...document.querySelectorAll('[role=log] article')];
        const row = text ? all.find((one) => one.querySelector('.text').textContent === text) : all.find((one) => one.getBoundingClientRect().top > 200);
        return { text: row.querySelector('.text').textContent, top: row.getBoundingClientRect().top };
      }, measure.text);
      measure.text = null;
      const first = await measure();
      measure.text = first.text;
      for (let at = 1; at <= 20; at += 1) await a.say(`nouveau ${at}`);
      await a.isSent('nouveau 20');
      await b.until(() => [...document.querySelectorAll('button')].some((one) => one.textContent.includes('20 nouveaux messages')));
      const then = await measure();
      assert.ok(Math.abs(then.top - first.top) <= 1, `moved by ${then.top - first.top} px`);
      await a.never(800, () => [...document.querySelectorAll('[role=log] article')].some((one) => one.textContent.includes('nouveau') && one.getAttribute('aria-label').includes('Lu')));
      await b.page.evaluate(() => [...document.querySelectorAll('button')].find((one) => one.textContent.includes('20 nouveaux')).click());
      // First to what is unread; what would not be seen on the way to the end is not read.
      await a.fateIs('nouveau 1', 'Lu');
      await b.toEnd();
      await b.hears('nouveau 20');
      await a.fateIs('nouveau 20', 'Lu');
    });

    test('5b: older messages that arrive above do not move what one reads', async () => {
      const id = await server.conversation();
      await server.flood(id, 120);
      const b = await somebody('juriste');
      await b.openConversation(id);
      await b.hears('message 120');
      const moved = await b.page.evaluate(async () => {
        const log = document.querySelector('[role=log]');
        const first = log.querySelector('article');
        log.scrollTop = 0;
        const before = first.getBoundingClientRect().top;
        const rows = log.querySelectorAll('article').length;
        while (log.querySelectorAll('article').length === rows) await new Promise(requestAnimationFrame);
        return first.getBoundingClientRect().top - before;
      });
      assert.ok(Math.abs(moved) <= 1, `moved by ${moved} px`);
    });

    test('6: files staged in one conversation stay there, over a reload too', async () => {
      const x = await server.conversation();
      const other = await server.call('POST', '/conversations', { token: await server.tokenOf('client1'), body: { participantId: 7 } });
      const a = await somebody('client');
      await a.openConversation(x);
      await a.stage([{ name: 'contrat.txt', type: 'text/plain', text: 'Article premier' }]);
      await a.until(() => document.querySelector('.staged')?.textContent.includes('contrat.txt'));
      await a.until(() => !document.querySelector('.staged progress'));
      await a.paste('avec un mot');
      await a.openConversation(other.body.id);
      await a.until(() => !document.querySelector('.staged') && document.querySelector('textarea').value === '');
      await a.until(kept, 'drafts', ['avec un mot']);
      await a.visit(`${server.url}/c/${x}`);
      await a.until(() => document.querySelector('.staged')?.textContent.includes('contrat.txt') && document.querySelector('textarea').value === 'avec un mot');
      await a.until(() => document.activeElement === document.querySelector('.composer textarea'));
      await a.press('Enter');
      const b = await somebody('juriste');
      await b.openConversation(x);
      await b.hears('avec un mot');
      await b.see('button', 'Télécharger contrat.txt');
    });

    test('7: a pasted picture is seen by the other one and by nobody else', async () => {
      const id = await server.conversation();
      const { a, b } = await both(id);
      await a.stage([{ name: 'photo.png', type: 'image/png', base64: picture(96, 64) }], 'paste');
      await a.until(() => document.querySelector('.staged') && !document.querySelector('.staged progress'));
      await a.press('Enter');
      await b.until(() => document.querySelector('[role=log] .picture img')?.naturalWidth === 96);
      const owner = await server.tokenOf('client1');
      const { body } = await server.call('GET', `/messages?conversationId=${id}`, { token: owner });
      const { url } = body.at(-1).files[0];
      assert.equal((await server.call('GET', url, { token: owner })).status, 200);
      assert.equal((await server.call('GET', url, { token: await server.tokenOf('client2') })).status, 404);
      assert.ok([401, 404].includes((await server.call('GET', url)).status));
      await b.click('button', 'Ouvrir photo.png');
      await b.see('dialog', 'photo.png');
      await b.press('Escape');
      await b.until(() => !document.querySelector('dialog[open]') && document.activeElement.classList.contains('picture'));
    });

    test('8: searching without accents finds, marks nothing read, and Back returns to the results', async () => {
      const id = await server.conversation([{ by: 'client1', content: 'Merci' }]);
      const b = await somebody('juriste');
      await b.openConversation(id);
      await b.hears('Merci');
      await b.until(() => !document.querySelector('.count'));
      await b.visit(`${server.url}/`);
      const token = await server.tokenOf('client1');
      await server.call('POST', '/messages', { token, body: { conversationId: id, content: 'La Résiliation du bail' } });
      await b.until(() => document.title.startsWith('(1)'));
      await b.visit(`${server.url}/recherche?q=resilie`);
      await b.until(() => document.querySelector('.results mark'));
      assert.match(await b.page.$eval('.results', (one) => one.textContent), /Résiliation/);
      await b.clickOn('.results a');
      await b.hears('La Résiliation du bail');
      await b.until(() => document.title.startsWith('(1)'));
      await b.never(1_500, () => !document.title.startsWith('(1)'));
      assert.equal((await server.call('GET', `/conversations/${id}`, { token: await server.tokenOf('juriste1') })).body.unreadCount, 1);
      await b.page.goBack();
      await b.until(() => document.querySelector('.results mark') && location.search === '?q=resilie');
    });

    test('9: what is read on one device is read on all within a second', async () => {
      const id = await server.conversation();
      const first = await somebody('juriste');
      await server.call('POST', '/messages', { token: await server.tokenOf('client1'), body: { conversationId: id, content: 'Une question' } });
      await first.until(() => document.title.startsWith('(1)') && document.querySelector('link[rel=icon]').href.endsWith('unread.svg') && document.querySelector('.count'));
      const second = await Person.in(browsers[0]);
      people.push(second);
      await second.enter(server.url, 'juriste');
      await second.openConversation(id);
      await second.hears('Une question');
      await second.until(() => !document.querySelector('.count') && !document.title.startsWith('('));
      const began = Date.now();
      await first.until(() => !document.title.startsWith('(') && !document.querySelector('.count') && document.querySelector('link[rel=icon]').href.endsWith('favicon.svg'));
      const took = Date.now() - began;
      assert.ok(took <= READ_ELSEWHERE_MS * room(), `${took} ms`);
    });

    test('10: everything by keyboard', async () => {
      const id = await server.conversation([{ by: 'juriste1', content: 'À vous' }]);
      const a = await Person.in(browsers[0]);
      const b = await somebody('juriste');
      people.push(a);
      await b.openConversation(id);
      await a.visit(server.url);
      await a.write('E-mail', 'client1@example.com');
      await a.press('Tab');
      await a.page.keyboard.type('Pass123!');
      await a.press('Enter');
      await a.see('navigation', 'Conversations');
      await a.hasBegun();
      await a.press('Control', 'k');
      await a.see('combobox', 'Chercher une personne ou un message');
      await a.until(() => document.querySelector('.palette-list [role=option]') && document.activeElement.matches('.palette-field'));
      await a.press('Enter');
      await a.see('log', 'Messages');
      await a.until(() => document.activeElement?.tagName === 'TEXTAREA');
      await a.page.keyboard.type('Bonjour Maître');
      await a.press('Enter');
      await b.hears('Bonjour Maître');
      await a.fateIs('Bonjour Maître', 'Lu');
      // Into the messages: one stop before the composer.
      await a.until(() => !document.querySelector('.queued, .sending'));
      await a.tabBackTo('article');
      await a.press('ArrowUp');
      await a.press('r');
      await a.until(() => document.activeElement?.tagName === 'TEXTAREA' && document.querySelector('.composer-about'));
      await a.page.keyboard.type('Je réponds');
      await a.press('Enter');
      await b.hears('Je réponds');
      await b.until(() => document.querySelector('.quote')?.textContent.includes('À vous'));
      await a.until(() => !document.querySelector('.queued, .sending'));
      await a.tabBackTo('article');
      await a.page.keyboard.type('+');
      await a.see('dialog', 'Réagir');
      await a.until(() => document.activeElement?.closest('dialog'));
      await a.press('Enter');
      await b.until(() => document.querySelector('.reaction'));
      await a.until(() => !document.querySelector('dialog[open]'));
      await (await a.see('textbox', 'Votre message')).focus();
      await a.press('ArrowUp');
      await a.until(() => document.querySelector('textarea').value === 'Je réponds');
      await a.page.keyboard.type(' vite');
      await a.press('Enter');
      await b.hears('Je réponds vite');
      // A change takes no file: the others may hear of it before its writer's page has let go of it.
      await a.until(() => !document.querySelector('.message.editing'));
      assert.ok(await a.page.evaluate(() => Boolean([...document.querySelectorAll('button')].find((one) => one.getAttribute('aria-label') === 'Joindre un fichier' && one.tabIndex === 0))), 'the button that attaches is in the tab order');
      await a.stage([{ name: 'note.txt', type: 'text/plain', text: 'x' }]);
      await a.until(() => document.querySelector('.staged') && !document.querySelector('.staged progress'));
      await (await a.see('textbox', 'Votre message')).focus();
      await a.press('Enter');
      await b.see('button', 'Télécharger note.txt');
      await (await a.see('button', 'Se déconnecter')).focus();
      await a.press('Enter');
      await a.see('button', 'Se connecter');
    });

    test('11: sixty hostile texts run nothing and break no layout', async () => {
      const id = await server.conversation();
      const { a, b } = await both(id);
      const token = await server.tokenOf('client1');
      for (const content of HOSTILE) await server.call('POST', '/messages', { token, body: { conversationId: id, content } });
      await server.call('PATCH', '/users/me', { token, body: { name: HOSTILE_NAMES.person } });
      await a.stage([{ name: HOSTILE_NAMES.file, type: 'text/plain', text: 'x' }]);
      await a.until(() => document.querySelector('.staged') && !document.querySelector('.staged progress'));
      await a.say('fichier');
      await b.hears('fichier');
      for (const person of [a, b]) {
        for (const width of [360, 800, 1280]) {
          await person.page.setViewport({ width, height: 800 });
          await person.page.evaluate(() => { document.querySelector('[role=log]').scrollTop = 0; });
          const faults = await person.page.evaluate(() => {
            const found = [];
            if (window.ran) found.push('a script ran');
            if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
            const log = document.querySelector('[role=log]');
            if (log.scrollWidth > log.clientWidth + 1) found.push(`the log is ${log.scrollWidth} wide in ${log.clientWidth}`);
            for (const one of log.querySelectorAll('.bubble')) {
              const box = one.getBoundingClientRect();
              if (box.width && (box.left < log.getBoundingClientRect().left - 1 || box.right > log.getBoundingClientRect().right + 1)) found.push(`a bubble reaches out: ${one.textContent.slice(0, 40)}`);
            }
            if (log.querySelector('.text :not(a, p, strong, em, code, pre, ul, ol, li, blockquote)')) found.push('markup in a text');
            if (log.querySelector('.text [style], .text [class], .text [id], .text [onclick]')) found.push('attributes in a text');
            for (const link of log.querySelectorAll('.text a')) if (!/^(https?|mailto):/.test(link.href) || link.rel !== 'noopener noreferrer nofollow') found.push(`a link to ${link.href}`);
            return found;
          });
          assert.deepEqual(faults, [], `${width} px`);
        }
      }
      // Among what is found, too, a name without a break stays in its place, and so does the composer beside it.
      await server.call('PATCH', '/users/me', { token, body: { name: 'W'.repeat(90) } });
      await b.visit(`${server.url}/recherche?q=fichier`);
      await b.until(() => document.querySelector('.result')?.textContent.includes('WWW'));
      for (const width of [360, 1280]) {
        await b.page.setViewport({ width, height: 800 });
        const outside = await b.page.evaluate(() => {
          const pane = document.querySelector('.results').parentElement.getBoundingClientRect();
          const reaches = [...document.querySelectorAll('.result time, .result-text')].filter((one) => one.getBoundingClientRect().right > pane.right + 1);
          return [document.documentElement.scrollWidth > innerWidth, ...reaches.map((one) => one.className || one.tagName)];
        });
        assert.deepEqual(outside, [false], `${width} px`);
      }
      await b.visit(`${server.url}/c/${id}`);
      const box = await b.page.waitForSelector('.composer textarea');
      assert.equal(await box.evaluate((one) => one.placeholder), 'Votre message', 'whoever it goes to');
    });
  });
}

if (CHOSEN.length > 1) {
  test('12: Chromium over WebSocket and Firefox over long-polling talk side by side', async () => {
    const server = await Server.start();
    const browsers = await Promise.all(['chromium', 'firefox'].map(launch));
    try {
      const id = await server.conversation();
      const a = await Person.in(browsers[0]);
      const b = await Person.in(browsers[1]);
      await a.enter(`${server.url}/?transport=websocket`, 'client');
      await b.enter(`${server.url}/?transport=polling`, 'juriste');
      await a.openConversation(id);
      await b.openConversation(id);
      await a.say('par le fil');
      await b.hears('par le fil');
      await b.say('par la poste');
      await a.hears('par la poste');
      await a.fateIs('par le fil', 'Lu');
      await b.fateIs('par la poste', 'Lu');
      // Else the story would be told by the same wire twice.
      const polls = (person) => person.page.evaluate(() => performance.getEntriesByType('resource').filter((one) => one.name.includes('transport=polling')).length);
      await until(async () => await polls(b) > 2, 'polls are told of by the browser');
      assert.equal(await polls(a), 0);
      await a.stage([{ name: 'photo.png', type: 'image/png', base64: picture(32, 32) }], 'paste');
      await a.until(() => document.querySelector('.staged') && !document.querySelector('.staged progress'));
      await a.press('Enter');
      await b.until(() => document.querySelector('[role=log] .picture img')?.naturalWidth === 32);
      assert.deepEqual([...a.complaints, ...b.complaints], []);
    } finally {
      await Promise.all(browsers.map((one) => one.close()));
      await server.stop();
    }
  });
}
