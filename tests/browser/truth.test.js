/** What the page says is so: nothing called read that nobody saw, nothing sent without its file, whatever the browser refuses. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { until } from '../support/node.mjs';
import { anew } from './anew.js';
import { CHOSEN } from './person.js';
import { picture } from './picture.js';

/** A JPEG as a phone held upright writes it: the camera's rows lie on their side, and a mark says so. @param {string} jpeg as base64 @returns {string} */
function turned(jpeg) {
  const bytes = Buffer.from(jpeg, 'base64');
  const exif = Buffer.from('457869660000' + '49492a0008000000' + '0100' + '1201030001000000' + '06000000' + '00000000', 'hex');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(exif.length + 2);
  return Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, exif, bytes.subarray(2)]).toString('base64');
}

for (const name of CHOSEN) {
  describe(`${name}, what is said is so`, { concurrency: 1 }, () => {
    const here = anew(name, [{ by: 'juriste1', content: 'Bonjour' }]);
    let server, id;
    beforeEach(() => { ({ server, id } = here); });

    /** @param {'client'|'juriste'} as @param {(page: import('puppeteer-core').Page) => Promise<any>} [prepare] @param {string} [url] */
    async function entered(as, prepare = async () => {}, url = server.url) {
      const person = await here.person();
      await prepare(person.page);
      await person.enter(`${url}/`, as);
      await person.openConversation(id);
      return person;
    }
    const looksAway = (person, away) => person.page.evaluate((is) => {
      if (!window.away) {
        const { hasFocus } = document;
        document.hasFocus = () => !window.away.is && hasFocus.call(document);
        window.away = {};
      }
      window.away.is = is;
      dispatchEvent(new Event(is ? 'blur' : 'focus'));
    }, away);
    const inSight = (person, text) => person.page.evaluate((wanted) => {
      const row = [...document.querySelectorAll('[role=log] article')].find((one) => one.querySelector('.text')?.textContent === wanted);
      const log = document.querySelector('[role=log]').getBoundingClientRect();
      return Boolean(row && row.getBoundingClientRect().top >= log.top - 1 && row.getBoundingClientRect().bottom <= log.bottom + 1);
    }, text);

    test('a conversation that was never opened begins at its beginning, and what was on no screen is not read', async () => {
      const token = await server.tokenOf('client1');
      const fresh = (await server.call('POST', '/conversations', { token, body: { participantId: 8 } })).body.id;
      for (let at = 1; at <= 120; at += 1) await server.send(token, fresh, `question ${at}`);
      const b = await here.person();
      await b.signIn(server, 'juriste3');
      await b.visit(`${server.url}/c/${fresh}`);
      await b.hears('question 1');
      await b.until(() => /^\((?!120)\d+\)/.test(document.title));
      assert.ok(await inSight(b, 'question 1'));
      const all = async () => (await server.call('GET', `/messages?conversationId=${fresh}&limit=200`, { token })).body;
      // The page counts before the server has heard of it.
      const body = await until(async () => { const now = await all(); return now.some((one) => one.isRead) && now; }, 'the server knows what is read');
      const read = body.filter((one) => one.isRead).length;
      assert.ok(read > 3 && read < 60, `${read} of 120 are read`);
      assert.deepEqual(body.map((one) => one.isRead), body.map((_, at) => at < read), 'an unbroken run from the beginning');
    });

    test('what came while nobody looked stands under the line, and what left the screen unseen is not read', async () => {
      const a = await entered('client');
      const b = await entered('juriste');
      await b.hears('Bonjour');
      await looksAway(b, true);
      const token = await server.tokenOf('client1');
      for (let at = 1; at <= 40; at += 1) await server.send(token, id, `pendant ${at}`);
      await b.hears('pendant 40');
      await a.hears('pendant 40');
      await b.until(() => document.querySelector('.unread-line + article .text')?.textContent === 'pendant 1');
      await looksAway(b, false);
      await a.fateIs('pendant 1', 'Lu');
      assert.ok(await inSight(b, 'pendant 1'), 'the line has not left the top');
      await a.never(1_200, () => [...document.querySelectorAll('[role=log] article')].some((one) => one.textContent.includes('pendant 40') && one.getAttribute('aria-label').includes('Lu')));
      await b.toEnd();
      await b.until(() => document.querySelector('[role=log] article:last-child').getBoundingClientRect().bottom < innerHeight);
    });

    test('a text that was changed after it was read says so on both sides', async () => {
      const a = await entered('client');
      const b = await entered('juriste');
      await a.say('oui');
      await b.hears('oui');
      await a.fateIs('oui', 'Lu');
      await (await a.see('textbox', 'Votre message')).focus();
      await a.press('ArrowUp');
      await a.until(() => document.querySelector('.composer-about')?.textContent.includes('oui') && document.querySelector('.message.editing'));
      await a.paste('oui, finalement NON');
      await a.press('Enter');
      await b.hears('finalement NON');
      await b.fateIs('finalement NON', 'modifié après votre lecture');
      await a.fateIs('finalement NON', 'Lu avant la modification');
    });

    test('a file that could not be uploaded goes with its message when the server is back', async () => {
      const a = await entered('client');
      await a.isKept();
      await server.kill();
      await a.stage([{ name: 'contrat.docx', type: 'application/octet-stream', text: 'signé' }]);
      await a.say('Voici le contrat signé');
      await a.fateIs('Voici le contrat signé', 'En attente');
      await a.until(() => document.querySelector('.waiting'));
      await server.resume();
      await a.fateIs('Voici le contrat signé', 'Envoyé');
      const { body } = await server.call('GET', `/messages?conversationId=${id}`, { token: await server.tokenOf('juriste1') });
      assert.deepEqual(body.filter((one) => one.content.startsWith('Voici')).map((one) => one.files.map((file) => file.name)), [['contrat.docx']]);
    });

    test('a large file that was cut off goes on where it was, after a reload too', async () => {
      const asked = [];
      const told = {};
      const isHeld = new Promise((resolve) => { told.held = resolve; });
      const mayGoOn = new Promise((resolve) => { told.may = resolve; });
      const wentOn = new Promise((resolve) => { told.went = resolve; });
      const isSaid = new Promise((resolve) => { told.said = resolve; });
      const a = await entered('client', async (page) => {
        await page.setRequestInterception(true);
        page.on('request', async (request) => {
          // The message waits for its file before the server has answered that it may come.
          if (request.method() === 'POST' && new URL(request.url()).pathname === '/attachments') await isSaid;
          const offset = request.method() === 'PATCH' && Number(new URL(request.url()).searchParams.get('offset'));
          if (offset !== false) asked.push(offset);
          if (offset) {
            told.held();
            await mayGoOn;
          }
          await request.continue();
          if (offset) told.went();
        });
      });
      await a.isKept();
      const text = Array.from({ length: 1_300_000 }, (_, line) => line).join('\n');
      await a.stage([{ name: 'dossier.txt', type: 'text/plain', text }]);
      await a.say('Voici le dossier');
      await a.fateIs('Voici le dossier', 'En attente');
      told.said();
      await isHeld;
      await server.kill();
      told.may();
      await wentOn;
      await a.page.reload();
      await server.resume();
      await a.fateIs('Voici le dossier', 'Envoyé');
      assert.equal(asked.filter((offset) => offset === 0).length, 1, `parts at ${asked}`);
      const token = await server.tokenOf('juriste1');
      const { body } = await server.call('GET', `/messages?conversationId=${id}`, { token });
      const [file] = body.at(-1).files;
      const answer = await fetch(`${server.url}/attachments/${file.id}/${file.name}`, { headers: { Authorization: `Bearer ${token}` } });
      assert.ok(await answer.text() === text, 'each byte is there, once');
    });

    test('without what browsers keep for secure connections the page sends, attaches and copies', async () => {
      const a = await entered('client', (page) => page.evaluateOnNewDocument(() => {
        delete Crypto.prototype.randomUUID;
        for (const one of ['clipboard', 'locks', 'serviceWorker']) Object.defineProperty(navigator, one, { value: undefined });
        Object.defineProperty(window, 'isSecureContext', { value: false });
      }));
      await a.say('par le réseau du cabinet');
      await a.fateIs('par le réseau du cabinet', 'Envoyé');
      await a.stage([{ name: 'note.txt', type: 'text/plain', text: 'x' }]);
      await a.until(() => document.querySelector('.staged-file') && !document.querySelector('.staged progress'));
      await a.press('Enter');
      await a.see('button', 'Télécharger note.txt');
      await a.page.focus('[role=log] article');
      await a.press('c');
      await a.until(() => document.querySelector('.notice')?.textContent === 'Copié.');
    });

    test('a browser that keeps nothing signs in and sends, and says what will be lost', async () => {
      const a = await entered('client', (page) => page.evaluateOnNewDocument(() => {
        for (const one of ['localStorage', 'sessionStorage', 'indexedDB']) {
          Object.defineProperty(window, one, { get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } });
        }
        window.BroadcastChannel = class { constructor() { throw new DOMException('no', 'SecurityError'); } };
        Object.defineProperty(navigator, 'serviceWorker', { get() { throw new DOMException('no', 'SecurityError'); } });
        Object.defineProperty(navigator, 'locks', { get() { throw new DOMException('no', 'SecurityError'); } });
        addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
          window.warned ||= document.querySelector('.notice')?.textContent.includes('ne garde rien');
        }).observe(document.body, { childList: true, subtree: true }));
      }));
      await a.until(() => window.warned);
      await a.say('sans mémoire');
      await a.fateIs('sans mémoire', 'Envoyé');
    });

    test('what was sent in one window is no draft in the other', async () => {
      const first = await entered('client');
      await first.paste('une seule fois');
      const second = await first.window();
      await second.visit(`${server.url}/c/${id}`);
      await second.until(() => document.querySelector('.composer textarea')?.value === 'une seule fois');
      await first.page.bringToFront();
      await (await first.see('textbox', 'Votre message')).focus();
      await first.press('Enter');
      await first.fateIs('une seule fois', 'Envoyé');
      await second.until(() => document.querySelector('.composer textarea').value === '');
      await second.page.bringToFront();
      await (await second.see('textbox', 'Votre message')).focus();
      await second.press('Enter');
      await second.never(500, () => [...document.querySelectorAll('[role=log] .text')].filter((one) => one.textContent === 'une seule fois').length > 1);
    });

    test('a picture stands in its frame as it was taken, however the camera was held', async () => {
      const a = await entered('client');
      const jpeg = await a.page.evaluate(() => {
        const canvas = document.createElement('canvas');
        Object.assign(canvas, { width: 80, height: 40 });
        canvas.getContext('2d').fillRect(0, 0, 40, 20);
        return canvas.toDataURL('image/jpeg').split(',')[1];
      });
      await a.stage([{ name: 'photo.jpg', type: 'image/jpeg', base64: turned(jpeg) }]);
      await a.until(() => document.querySelector('.staged-file') && !document.querySelector('.staged progress'));
      await a.press('Enter');
      const b = await entered('juriste');
      for (const person of [a, b]) {
        await person.until(() => {
          const image = document.querySelector('[role=log] .picture img');
          const frame = image?.parentElement.getBoundingClientRect();
          return image?.naturalWidth === 40 && image.naturalHeight === 80 && frame.height > frame.width;
        });
      }
      const { body } = await server.call('GET', `/messages?conversationId=${id}`, { token: await server.tokenOf('juriste1') });
      assert.deepEqual([body.at(-1).files[0].width, body.at(-1).files[0].height], [40, 80], 'and its place is known before it is drawn');
    });

    test('every tool of a message is whole at every width, and each says what it does', async () => {
      await server.send(await server.tokenOf('client1'), id, `long ${'mot '.repeat(120)}`);
      const b = await entered('juriste');
      await b.hears('long mot');
      for (const width of [720, 760, 800, 900, 950, 960, 1_000, 1_099, 1_100, 1_150, 1_200, 1_240, 1_280, 1_600]) {
        await b.page.setViewport({ width, height: 800 });
        for (const which of ['first', 'last']) {
          await b.page.hover(`[role=log] article:${which}-of-type .bubble`);
          await b.page.waitForSelector('.tools .icon-button');
          const cut = await b.page.evaluate(() => {
            const log = document.querySelector('[role=log]').getBoundingClientRect();
            return [...document.querySelectorAll('.tools .icon-button')].filter((one) => {
              const { left, right, width: size } = one.getBoundingClientRect();
              return left < log.left || right > log.left + document.querySelector('[role=log]').clientWidth || size < 24 || !one.dataset.tip;
            }).length;
          });
          assert.equal(cut, 0, `${which} at ${width}`);
        }
      }
    });

    test('what is selected in a message is quoted by its answer', async () => {
      const a = await entered('client');
      await server.send(await server.tokenOf('juriste1'), id, 'Ne signez rien avant jeudi, et gardez la lettre.');
      await a.hears('gardez la lettre');
      await a.page.evaluate(() => {
        const row = [...document.querySelectorAll('[role=log] article')].at(-1);
        const words = document.createTreeWalker(row.querySelector('.text'), NodeFilter.SHOW_TEXT).nextNode();
        row.focus();
        getSelection().setBaseAndExtent(words, 0, words, 'Ne signez rien'.length);
      });
      await a.press('r');
      await a.until(() => document.activeElement?.value === '> Ne signez rien\n\n' && document.activeElement.matches('.composer textarea') && document.querySelector('.composer-about'));
      await a.page.keyboard.type('Entendu.');
      await a.press('Enter');
      await a.until(() => document.querySelector('[role=log] article:last-child blockquote')?.textContent.includes('Ne signez rien'));
    });

    test('the first field has the focus at sign-in, and the directory says how many it shows', async () => {
      const a = await here.person();
      await a.visit(`${server.url}/connexion`);
      await a.until(() => document.activeElement?.matches('input[type=email]'));
      const { body: people } = await server.call('GET', '/users?limit=50&q=', { token: await server.tokenOf('client1') });
      await a.enter(`${server.url}/`, 'client');
      await a.click('button', 'Nouvelle conversation');
      const says = (text) => a.until((wanted) => document.querySelector('dialog[open] [role=status]')?.textContent === wanted, text);
      await says(`${people.length} personnes`);
      // What finds them has the focus.
      await a.page.keyboard.type('haddad');
      await says('1 personne');
      await a.page.keyboard.type('zz');
      await says('Personne de ce nom.');
    });

    test('marks are drawn, put by key, and printed with who said it and when', async () => {
      const a = await entered('client');
      const b = await entered('juriste');
      await (await a.see('textbox', 'Votre message')).focus();
      await a.page.keyboard.type('urgent');
      await a.press('Control', 'a');
      await a.press('Control', 'b');
      await a.until(() => document.querySelector('.composer textarea').value === '**urgent**');
      await a.press('Enter');
      await b.until(() => document.querySelector('[role=log] .text strong')?.textContent === 'urgent');
      await server.flood(id, 30);
      await b.hears('message 30');
      // Paper is higher than a window: what a window scrolls has to go on.
      await b.page.setViewport({ width: 1280, height: 400 });
      // Styles that are not needed to read and send, those of paper among them, come a moment after the first screen. What they say of
      // paper is put on the screen, since not every browser can be asked to look at a page as a printer does.
      await b.until(() => {
        const ofPaper = (rules) => [...rules].flatMap((rule) => {
          if (rule.styleSheet) return ofPaper(rule.styleSheet.cssRules);
          return rule.media?.mediaText === 'print' ? [rule] : [];
        });
        const rules = [...document.styleSheets].flatMap((one) => ofPaper(one.cssRules));
        for (const rule of rules) rule.media.mediaText = 'screen';
        return rules.length > 0;
      });
      const shown = await b.page.evaluate(() => {
        const displayed = (selector) => getComputedStyle(document.querySelector(selector)).display !== 'none';
        const log = document.querySelector('[role=log]');
        return {
          away: ['.composer', 'nav.list', '.typing-line'].filter(displayed),
          by: displayed('.by') && log.querySelector('.by').textContent,
          isWhole: log.scrollHeight <= log.clientHeight + 1 && document.documentElement.scrollHeight >= log.scrollHeight,
        };
      });
      assert.deepEqual(shown.away, []);
      assert.match(shown.by, /Hélène Rousseau.*\d{4}/, 'who and when');
      assert.ok(shown.isWhole, 'all of it, not what fits into the window');
    });

    test('a picture that is pasted with text is text, and one that is pasted while editing is told', async () => {
      const a = await entered('client');
      const pasted = (text) => a.page.evaluate((given, base64) => {
        const box = document.querySelector('.composer textarea');
        box.focus();
        const files = [new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], 'image.png', { type: 'image/png' })];
        const event = new Event('paste', { bubbles: true, cancelable: true });
        Object.defineProperty(event, 'clipboardData', { value: { files, types: ['text/plain', 'Files'], getData: () => given } });
        box.dispatchEvent(event);
        return event.defaultPrevented;
      }, text, picture(8, 8));
      assert.equal(await pasted('Loyer\t850'), false);
      await a.never(200, () => document.querySelector('.staged-file'));
      await a.say('à modifier');
      await a.fateIs('à modifier', 'Envoyé');
      await a.press('ArrowUp');
      await a.until(() => document.querySelector('.message.editing'));
      assert.equal(await pasted(''), true);
      await a.until(() => document.querySelector('.notice.alert')?.textContent.includes('ne prend pas de fichier'));
    });
  });
}
