/** What happens around a conversation: several windows, a connection that goes, a session that ends, who types, what is said aloud. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { anew } from './anew.js';
import { CHOSEN } from './person.js';
import { picture } from './picture.js';
import { PASSWORD } from './server.js';

for (const name of CHOSEN) {
  describe(`${name}, around a conversation`, { concurrency: 1 }, () => {
    const here = anew(name, [{ by: 'juriste1', content: 'Bonjour' }]);
    let server, id;
    beforeEach(() => { ({ server, id } = here); });

    /** @param {'client'|'juriste'} as @param {string} [query] */
    async function opened(as, query = '') {
      const person = await here.person();
      await person.enter(`${server.url}/${query}`, as);
      await person.openConversation(id);
      await person.hears('Bonjour');
      return person;
    }

    /** @param {import('./person.js').Person} person who is in the conversation already @returns {Promise<import('./person.js').Person>} in a second window */
    async function again(person) {
      const other = await person.window();
      await other.visit(`${server.url}/c/${id}`);
      await other.hears('Bonjour');
      return other;
    }

    const isAway = () => document.querySelector('.link-state p');

    test('a window without a connection does not keep another one from sending', async () => {
      const b = await opened('juriste');
      const first = await opened('client', '?transport=polling');
      const second = await again(first);
      // The request that waits is answered by this message; the next ones find no way out.
      await first.page.evaluate(() => { XMLHttpRequest.prototype.send = () => { throw new Error('no way out'); }; });
      await b.say('Vous êtes là ?');
      await first.until(isAway);
      await second.page.bringToFront();
      await second.say('Oui, ici');
      await b.hears('Oui, ici');
      await second.until(() => !document.querySelector('.queued, .sending'));
      assert.equal((await b.texts()).filter((text) => text === 'Oui, ici').length, 1);
    });

    test('two windows of one person send what both write, once and in order', async () => {
      const b = await opened('juriste');
      const first = await opened('client');
      const second = await again(first);
      for (const [window, text] of [[first, 'un'], [second, 'deux'], [first, 'trois'], [second, 'quatre']]) {
        await window.page.bringToFront();
        await window.say(text);
        await b.hears(text);
      }
      for (const person of [b, first, second]) {
        await person.until(() => document.querySelectorAll('[role=log] article').length === 5 && !document.querySelector('.queued, .sending'));
        assert.deepEqual(await person.texts(), ['Bonjour', 'un', 'deux', 'trois', 'quatre']);
      }
    });

    test('signing out in one window leaves nothing on the screen of another', async () => {
      const first = await opened('client');
      const second = await again(first);
      await second.click('button', 'Se déconnecter');
      await second.see('button', 'Se connecter');
      await first.see('button', 'Se connecter');
      await first.until(() => !document.body.textContent.includes('Bonjour'));
    });

    test('when the session ends one signs in over the page, and goes on in every window', async () => {
      const first = await opened('client');
      await first.paste('à moitié écrit');
      const second = await again(first);
      // Whose session ends before the list is there has no page to sign in over.
      for (const window of [first, second]) await window.until(() => performance.getEntriesByType('resource').some((one) => new URL(one.name).pathname === '/conversations'));
      await second.hasBegun();
      const token = await first.page.evaluate(() => JSON.parse(localStorage.getItem('lexchat.session.1')).accessToken);
      assert.equal((await server.call('POST', '/auth/sign-out', { token })).status, 204);
      await first.see('dialog', 'Reconnectez-vous');
      await second.see('dialog', 'Reconnectez-vous');
      for (let round = 0; round < 3; round += 1) await second.press('Escape');
      await second.until(() => document.querySelector('dialog[open]') && document.activeElement.type === 'password');
      assert.ok((await second.texts()).includes('Bonjour'), 'the page stands behind it');
      await second.page.keyboard.type('Pass123!');
      await second.press('Enter');
      for (const window of [second, first]) await window.until(() => !document.querySelector('dialog[open]'));
      await first.page.bringToFront();
      assert.equal(await first.page.$eval('.composer textarea', (box) => box.value), 'à moitié écrit');
      await first.press('Enter');
      await first.fateIs('à moitié écrit', 'Envoyé');
    });

    test('a connection that goes is told in time, the composer stays, and what one reads does not move', async () => {
      await server.flood(id, 40);
      const a = await opened('client');
      await a.hears('message 40');
      await a.page.evaluate(() => {
        window.shown = [];
        new MutationObserver(() => {
          const text = document.querySelector('.link-state').textContent;
          if (text !== window.shown.at(-1)?.text) window.shown.push({ text, at: performance.now() });
        }).observe(document.querySelector('.link-state'), { childList: true, subtree: true, characterData: true });
        const log = document.querySelector('[role=log]');
        log.dispatchEvent(new WheelEvent('wheel'));
        log.scrollTop = log.scrollHeight - log.clientHeight - 400;
        window.read = [...log.querySelectorAll('article')].find((one) => one.getBoundingClientRect().top > 200);
      });
      const top = () => a.page.evaluate(() => window.read.getBoundingClientRect().top);
      await a.until(() => document.querySelector('.to-end'));
      const before = await top();
      await a.page.evaluate(() => { window.cutAt = performance.now(); });
      await server.kill();
      await a.until(() => document.querySelector('.link-state')?.textContent.includes('Vos messages partiront à la reconnexion'));
      const { shown, cutAt } = await a.page.evaluate(() => ({ shown: window.shown, cutAt: window.cutAt }));
      assert.equal(shown[0].text, 'Reconnexion…', 'a word first');
      assert.ok(shown[0].at - cutAt >= 1_900, `nothing under two seconds: ${shown[0].at - cutAt} ms`);
      assert.ok(shown[1].at - cutAt >= 4_900, `a banner after five seconds: ${shown[1].at - cutAt} ms`);
      await a.paste('écrit sans connexion');
      assert.ok(Math.abs(await top() - before) <= 1);
      await server.resume();
      await a.until(() => !document.querySelector('.link-state p'));
      assert.ok(Math.abs(await top() - before) <= 1, `moved by ${await top() - before} px`);
      assert.equal(await a.page.$eval('.composer textarea', (box) => box.value), 'écrit sans connexion');
    });

    test('who types is shown without moving anything, and new messages are said in one sentence', async () => {
      const a = await opened('client');
      const b = await opened('juriste');
      const last = () => b.page.evaluate(() => [...document.querySelectorAll('[role=log] article')].at(-1).getBoundingClientRect().top);
      await b.page.waitForSelector('[data-announcer]');
      // Whoever is in front reads, and what that changes in the last row is not what this is about.
      await b.still();
      await a.page.bringToFront();
      let before = await last();
      for (let since = Date.now(), now = before; Date.now() - since < 2_000; now = await last()) {
        if (now !== before) [before, since] = [now, Date.now()];
      }
      await a.write('Votre message', 'une phrase');
      await b.until(() => document.querySelector('.typing-line').textContent === 'Camille Moreau écrit…' && document.querySelector('nav .row-text.typing'));
      assert.equal(await last(), before);
      await a.press('Enter');
      await b.hears('une phrase');
      await b.until(() => document.querySelector('.typing-line').textContent === '');
      await b.until(() => document.querySelector('[data-announcer]').textContent === 'Camille Moreau : une phrase');
      await b.page.evaluate(() => {
        window.said = [];
        new MutationObserver(() => { window.said.push(document.querySelector('[data-announcer]').textContent); })
          .observe(document.querySelector('[data-announcer]'), { childList: true, characterData: true, subtree: true });
      });
      // As fast as the page hears them, however busy the machine is.
      const flood = () => b.page.evaluate((given) => {
        for (const text of ['un', 'deux', 'trois']) document.dispatchEvent(new CustomEvent('lexchat:message', { detail: { ...given, text } }));
      }, { senderName: 'Camille Moreau' });
      const times = (count) => b.until((wanted) => window.said.filter((one) => one === '3 nouveaux messages de Camille Moreau').length === wanted, count);
      await flood();
      await times(1);
      // The same words once more are a change to who only hears them.
      await flood();
      await times(2);
      assert.equal(await b.page.evaluate(() => window.said.at(-2)), '', 'emptied in between');
    });

    test('what is in a message is reached by keyboard from the message', async () => {
      await server.send(await server.tokenOf('client1'), id, 'voir https://exemple.fr/bail');
      const b = await opened('juriste');
      await b.hears('exemple.fr');
      await b.tabBackTo('article');
      await b.until(() => document.querySelectorAll('[role=log] a[tabindex="0"]').length === 1);
      await b.press('Tab');
      await b.until(() => document.activeElement.href === 'https://exemple.fr/bail');
      await (await b.see('textbox', 'Votre message')).focus();
      await b.until(() => !document.querySelector('[role=log] a[tabindex="0"]'));
      // The one stop is where one was.
      await b.tabBackTo('article');
      await b.press('Home');
      await b.until(() => document.activeElement.textContent.includes('Bonjour'));
      await b.tabBackTo('article');
      assert.match(await b.page.evaluate(() => document.activeElement.textContent), /Bonjour/);
    });

    test('a file whose upload failed is there after a reload with its bytes, and leaves storage when it is sent', async () => {
      const a = await opened('client');
      await a.page.evaluate(() => { XMLHttpRequest.prototype.send = function send() { this.dispatchEvent(new Event('error')); }; });
      await a.stage([{ name: 'lettre.png', type: 'image/png', base64: picture(48, 32) }]);
      await a.until(() => document.querySelector('.staged-file.failed'));
      await a.until(() => new Promise((resolve) => {
        const opening = indexedDB.open('lexchat-1');
        opening.onsuccess = () => {
          const drafts = opening.result.transaction('drafts').objectStore('drafts').getAll();
          drafts.onsuccess = () => {
            opening.result.close();
            resolve(drafts.result[0]?.files[0]?.error && !drafts.result[0].files[0].blob);
          };
        };
      }));
      await a.visit(`${server.url}/c/${id}`);
      await a.until(() => document.querySelector('.staged-file.failed img')?.naturalWidth === 48);
      await a.click('button', 'Réessayer');
      await a.until(() => document.querySelector('.staged-file') && !document.querySelector('.staged-file.failed, .staged progress'));
      await a.say('la voici');
      await a.fateIs('la voici', 'Envoyé');
      const b = await opened('juriste');
      await b.until(() => document.querySelector('[role=log] .picture img')?.naturalWidth === 48);
      await a.until(() => new Promise((resolve) => {
        const opening = indexedDB.open('lexchat-1');
        opening.onsuccess = () => {
          const files = opening.result.transaction('files').objectStore('files').count();
          files.onsuccess = () => {
            opening.result.close();
            resolve(files.result === 0);
          };
        };
      }));
    });

    test('the details show pictures and files of the whole conversation, not only of what is loaded', async () => {
      const token = await server.tokenOf('juriste1');
      const old = await Promise.all([
        server.upload(token, id, 'plan.png', 'image/png', Buffer.from(picture(64, 48), 'base64')),
        server.upload(token, id, 'bail.pdf', 'application/pdf', Buffer.from('%PDF-1.4\n%%EOF')),
      ]);
      await server.call('POST', '/messages', { token, body: { conversationId: id, content: 'Le bail', files: old } });
      await server.flood(id, 230);
      const late = await server.upload(token, id, 'acte.png', 'image/png', Buffer.from(picture(32, 32), 'base64'));
      await server.call('POST', '/messages', { token, body: { conversationId: id, content: 'Bonjour encore', files: [late] } });
      const b = await opened('juriste');
      await b.until(() => [...document.querySelectorAll('.details .picture img')].filter((one) => one.naturalWidth).length === 2
        && document.querySelector('.details .file-row')?.textContent.includes('bail.pdf'));
      assert.equal(await b.page.$$eval('.details-month', (all) => all.length), 1, 'all of this month');
      await b.page.evaluate(() => document.querySelectorAll('.details .picture')[1].click());
      await b.see('dialog', 'plan.png');
      await b.press('Escape');
      await b.until(() => !document.querySelector('dialog[open]'));

      // Where there is no room beside the conversation they are looked for when asked for.
      await b.page.setViewport({ width: 800, height: 800 });
      await b.click('button', 'Détails');
      await b.until(() => document.querySelectorAll('dialog[open] .picture').length === 2 && document.querySelector('dialog[open] .file-row'));
    });

    test('the browser keeps the files of the page, names, and what is not sent: nothing that was said, and nothing after signing out', async () => {
      const token = await server.tokenOf('juriste1');
      const file = await server.upload(token, id, 'plan.png', 'image/png', Buffer.from(picture(64, 48), 'base64'));
      await server.call('POST', '/messages', { token, body: { conversationId: id, content: 'Bonjour, le plan', files: [file] } });
      const a = await opened('client');
      await a.until(() => document.querySelector('[role=log] .picture img')?.naturalWidth);
      await a.isKept();
      const { version, names, paths } = await a.page.evaluate(async () => {
        const names = await caches.keys();
        const kept = await (await caches.open(names[0])).keys();
        return { version: document.documentElement.dataset.version, names, paths: kept.map(({ url }) => new URL(url).pathname) };
      });
      assert.deepEqual(names, [`lexchat-${version}`]);
      assert.ok(paths.includes('/') && paths.includes('/app.js'));
      assert.deepEqual(paths.filter((path) => !/^\/$|\.(js|css|svg|html|webmanifest)$/.test(path)), []);
      const stored = () => a.page.evaluate(() => JSON.stringify(localStorage));
      assert.match(await stored(), /Hélène Rousseau/);
      assert.doesNotMatch(await stored(), /Bonjour|le plan|plan\.png/);
      await a.click('button', 'Se déconnecter');
      await a.see('button', 'Se connecter');
      assert.doesNotMatch(await stored(), /Hélène Rousseau|accessToken/);
    });

    test('a refusal comes in the language of the page, whatever the browser speaks', async () => {
      await server.call('PATCH', '/users/me', { token: await server.tokenOf('client1'), body: { locale: 'en' } });
      const a = await opened('client');
      await a.leaveRefused(id);
      await a.until(() => document.querySelector('.refusal')?.textContent.includes('larger than allowed'));
    });

    test('the filter of the list has an address: a reload keeps it, what one opens keeps it, Back undoes it', async () => {
      const waiting = await server.call('POST', '/conversations', { token: await server.tokenOf('juriste1'), body: { participantId: 2 } });
      await server.send(await server.tokenOf('client2'), waiting.body.id, 'Bonjour Maître');
      const b = await opened('juriste');
      const shows = (rows, search, pressed) => b.until((ids, wanted, name) => location.search === wanted && document.querySelector('.filters [aria-pressed=true]')?.textContent === name
        && JSON.stringify([...document.querySelectorAll('nav .row')].map((row) => row.getAttribute('href'))) === JSON.stringify(ids.map((one) => `/c/${one}`)), rows, search, pressed);
      await shows([waiting.body.id, id], '', 'Toutes');
      await b.click('button', 'Sans réponse');
      await shows([waiting.body.id], '?filtre=sans-reponse', 'Sans réponse');
      await b.page.reload({ waitUntil: 'load' });
      await shows([waiting.body.id], '?filtre=sans-reponse', 'Sans réponse');
      await b.openConversation(waiting.body.id);
      await b.hears('Bonjour Maître');
      await shows([waiting.body.id], '?filtre=sans-reponse', 'Sans réponse');
      await b.page.goBack();
      await b.page.goBack();
      await shows([waiting.body.id, id], '', 'Toutes');
    });

    test('whoever signs in after somebody in the same window is shown nothing of theirs', async () => {
      const a = await opened('client');
      await a.visit(`${server.url}/recherche?q=Bonjour`);
      await a.until(() => document.querySelector('.result')?.textContent.includes('Bonjour'));
      await a.openConversation(id);
      await a.hears('Bonjour');
      const token = await server.tokenOf('client1');
      const file = await server.upload(token, id, 'plan.png', 'image/png', Buffer.from(picture(64, 48), 'base64'));
      const isShown = () => Boolean(document.querySelector('dialog.lightbox[open]'));
      // Where Back leads while a picture of this conversation is open.
      const back = () => a.page.evaluate((conversationId, fileId) => {
        const picked = { id: fileId, name: 'plan.png', mimeType: 'image/png', size: 1, url: `/attachments/${fileId}` };
        history.pushState({ dialog: { name: 'lightbox', data: { conversationId, file: picked } } }, '');
        history.pushState({}, '');
        history.back();
      }, id, file);
      await back();
      await a.until(isShown);
      await a.press('Escape');
      await a.until(() => !document.querySelector('dialog[open]'));
      await a.click('button', 'Se déconnecter');
      await a.see('button', 'Se connecter');
      await a.page.type('input[type=email]', 'client2@example.com');
      await a.page.type('input[type=password]', PASSWORD);
      await a.click('button', 'Se connecter');
      await a.see('navigation', 'Conversations');
      await a.page.evaluate(() => {
        history.pushState({}, '', '/recherche?q=Bonjour');
        history.pushState({}, '', '/');
        history.back();
      });
      await a.until(() => document.querySelector('.pane [role=status]')?.textContent.includes('Aucun message'));
      assert.equal(await a.page.evaluate(() => document.querySelectorAll('.result').length), 0);
      await back();
      await a.until(() => history.state?.dialog);
      await new Promise((resolve) => { setTimeout(resolve, 500); });
      assert.equal(await a.page.evaluate(isShown), false, 'a picture of a conversation that is not theirs');
    });

    test('a key counts that was pressed before its script was there, and Escape that closes a dialog leads nowhere else', async () => {
      const person = await here.person();
      const { page } = person;
      await person.signIn(server, 'juriste1');
      let release;
      const held = new Promise((resolve) => { release = resolve; });
      await page.setRequestInterception(true);
      page.on('request', (request) => (request.url().endsWith('/views/shortcuts.js') ? held : Promise.resolve()).then(() => request.continue()));
      await person.visit(server.url);
      await person.clickOn('a.list-me');
      await person.click('button', 'Nouvelle conversation');
      await person.see('dialog', 'Nouvelle conversation');
      await page.evaluate(() => document.activeElement.blur());
      await person.press('Escape');
      await person.until(() => !document.querySelector('dialog[open]'));
      await page.evaluate(() => document.activeElement.blur());
      await person.press('?');
      release();
      await person.see('dialog', 'Raccourcis clavier');
      assert.equal(new URL(page.url()).pathname, '/moi');
      await person.press('Escape');
      await person.until(() => !document.querySelector('dialog[open]'));
      await person.press('Escape');
      await person.until(() => location.pathname === '/');
    });

    // Firefox remembers, as long as the page lives, that a script could not be fetched.
    if (name === 'chromium') test('a view whose script could not be fetched is there once it can be', async () => {
      const person = await here.person();
      const { page } = person;
      await person.signIn(server, 'juriste1');
      let failed = 0;
      await page.setRequestInterception(true);
      page.on('request', (request) => {
        if (!request.url().endsWith('/views/details.js') || failed) return request.continue();
        failed += 1;
        return request.abort();
      });
      await person.visit(`${server.url}/c/${id}`);
      await person.hears('Bonjour');
      await person.until(() => document.querySelector('aside.details .details-name')?.textContent === 'Camille Moreau');
      assert.equal(failed, 1);
    });

    test('the test page still does what its name says', async () => {
      const person = await here.person();
      await person.visit(`${server.url}/test-websocket.html`);
      await person.write('E-mail', 'client1@example.com');
      await person.page.type('input[type=password]', 'Pass123!');
      await person.click('button', 'Se connecter');
      await person.write('Numéro de la conversation', String(id));
      await person.click('button', 'Rejoindre la conversation');
      await person.hears('Bonjour');
      await person.say('test');
      await person.fateIs('test', 'Envoyé');
    });
  });
}
