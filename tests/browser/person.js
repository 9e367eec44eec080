/** Somebody in front of a browser: sees roles and names, uses mouse and keyboard. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { PATIENCE_MS, until } from '../support/node.mjs';

/**
 * Firefox tells as an error of the page that a connection was cut, which is what some stories are about, and that a page was left while
 * a request of it was with the service worker.
 */
const CUT = /^Firefox can’t establish a connection|^The connection to \S+ was interrupted|^Failed to load ‘\S*’\. A ServiceWorker intercepted/;
/** How often it is looked whether an element is there: for each look a browser makes the tree that assistive technology reads. */
const LOOKED_EVERY_MS = 100;
const BROWSERS = {
  chromium: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--lang=fr-FR', '--accept-lang=fr-FR,fr', '--enable-precise-memory-info', '--js-flags=--expose-gc'],
  },
  firefox: {
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    extraPrefsFirefox: { 'intl.accept_languages': 'fr-FR, fr', 'dom.events.asyncClipboard.readText': true, 'layout.css.prefers-color-scheme.content-override': 1 },
  },
};

/** The browsers that this run is about. */
export const CHOSEN = (process.env.LEXCHAT_BROWSERS ?? 'chromium,firefox').split(',');

/**
 * @param {'chromium'|'firefox'} name
 * @param {{args?: string[], extraPrefsFirefox?: object, acceptInsecureCerts?: boolean}} [more] beside what every run has
 */
export async function launch(name, { args = [], extraPrefsFirefox = {}, ...more } = {}) {
  const profile = mkdtempSync(join(tmpdir(), `lexchat-${name}-`));
  const usual = BROWSERS[name];
  const given = { args: [...(usual.args ?? []), ...args], extraPrefsFirefox: { ...usual.extraPrefsFirefox, ...extraPrefsFirefox } };
  const browser = await puppeteer.launch({ headless: true, userDataDir: profile, protocolTimeout: 300_000, ...usual, ...given, ...more });
  return {
    name,
    browser,
    close: async () => {
      await browser.close().catch(() => {});
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Whether the messages of a conversation are there, and the focus is where it goes by itself; runs in the page. */
export const hasSettled = () => Boolean(document.querySelector('[role=log]'))
  && (matchMedia('(pointer: coarse)').matches || Boolean(document.querySelector('.closed')) || document.activeElement?.tagName === 'TEXTAREA');

/** Whether an element stands still and takes presses; runs in the page. @param {HTMLElement} one */
const isReady = (one) => new Promise((resolve) => {
  const place = () => {
    const { x, y } = one.getBoundingClientRect();
    return `${x} ${y}`;
  };
  const before = place();
  setTimeout(() => resolve(one.isConnected && !one.matches(':disabled, [aria-disabled=true]') && place() === before), 30);
});

export class Person {
  /** A window of a browser, with storage of its own. @param {{name: string, browser: import('puppeteer-core').Browser}} launched @param {{width?: number, height?: number}} [size] */
  static async in(launched, { width = 1280, height = 800 } = {}) {
    const person = new Person();
    person.browserName = launched.name;
    person.context = await launched.browser.createBrowserContext();
    await person.open({ width, height });
    return person;
  }

  /** @param {{width: number, height: number}} size */
  async open(size) {
    this.page = await this.context.newPage();
    this.page.setDefaultTimeout(PATIENCE_MS);
    await this.page.setViewport(size);
    await this.page.bringToFront();
    await this.page.emulateFocusedPage?.(true).catch(() => {});
    /** What the page or the browser complained about. @type {string[]} */
    this.complaints ??= [];
    this.page.on('pageerror', (error) => { if (!CUT.test(error.message)) this.complaints.push(`error: ${error.message}`); });
    this.page.on('console', (message) => { if (/Content.Security.Policy/i.test(message.text())) this.complaints.push(message.text()); });
  }

  /** Another window of the same person's browser. @param {{width?: number, height?: number}} [size] */
  async window({ width = 1280, height = 800 } = {}) {
    const other = new Person();
    Object.assign(other, { browserName: this.browserName, context: this.context, complaints: this.complaints });
    await other.open({ width, height });
    return other;
  }

  async close() {
    await this.context.close().catch(() => {});
  }

  /** @param {string} url */
  async visit(url) {
    await this.page.goto(url, { waitUntil: 'load' });
  }

  /** Until the browser has kept the page for when the server is gone. */
  async isKept() {
    await this.until(() => navigator.serviceWorker.ready.then(({ active }) => active.state === 'activated'));
  }

  /** Signs in with a button of the demonstration. @param {string} url @param {'client'|'juriste'} as */
  async enter(url, as) {
    await this.visit(url);
    await this.click('button', as === 'client' ? 'Entrer comme client' : 'Entrer comme juriste');
    await this.see('navigation', 'Conversations');
    await this.hasBegun();
  }

  /**
   * Signs in without the form; nothing is shown yet.
   * @param {import('./server.js').Server} server
   * @param {string} account as `client1`
   * @param {object} [changes] what the browser takes them to have chosen
   * @returns {Promise<any>} the session
   */
  async signIn(server, account, changes = {}) {
    const session = await server.signIn(account);
    Object.assign(session.user, changes);
    await this.visit(`${server.url}/favicon.svg`);
    await this.page.evaluate((mine) => {
      localStorage.setItem(`lexchat.session.${mine.user.id}`, JSON.stringify(mine));
      localStorage.setItem('lexchat.latest', JSON.stringify(mine.user.id));
    }, session);
    return session;
  }

  /** The one element of a role and name, as assistive technology would find it. @param {string} role @param {string} name @returns {Promise<import('puppeteer-core').ElementHandle>} */
  see(role, name) {
    // Asked again after a navigation, which takes away what was asked.
    const find = () => this.page.$(`aria/[role="${role}"][name="${name}"]`).catch(() => null);
    return until(find, `${this.browserName}: a ${role} "${name}"`, LOOKED_EVERY_MS);
  }

  /** Presses an element. @param {string} role @param {string} name */
  click(role, name) {
    return this.#presses(() => this.see(role, name), `a ${role} "${name}"`);
  }

  /** Presses what has no name of its own. @param {string} selector */
  clickOn(selector) {
    return this.#presses(() => this.page.$(selector), selector);
  }

  /**
   * By pointer, once it stands still, which what opens or loads above it may keep it from, and takes presses.
   * @param {() => Promise<import('puppeteer-core').ElementHandle|null>} find @param {string} what
   */
  async #presses(find, what) {
    const element = await until(async () => {
      const found = await find();
      // What is drawn anew meanwhile is looked for again.
      const isIt = await found?.evaluate(isReady).catch(() => false);
      return isIt ? found : null;
    }, `${this.browserName}: ${what} that can be pressed`);
    await element.click();
  }

  /** Types into a field that has the focus, or takes it. @param {string} name @param {string} text */
  async write(name, text) {
    const field = await this.see('textbox', name);
    await this.hasBegun();
    await field.focus();
    await this.page.keyboard.type(text);
  }

  /** Puts a text into the composer as pasting would, whatever it contains. @param {string} text */
  async paste(text) {
    const field = await this.page.waitForSelector('.composer textarea');
    await field.evaluate((box, value) => {
      box.focus();
      box.value = value;
      box.dispatchEvent(new Event('input', { bubbles: true }));
    }, text);
  }

  /** Puts files before the composer, by choosing them or by pasting. @param {{name: string, type: string, text?: string, base64?: string}[]} files @param {'choose'|'paste'} [way] */
  async stage(files, way = 'choose') {
    await (await this.page.waitForSelector('.composer textarea')).focus();
    await this.page.evaluate((given, pastes) => {
      const data = new DataTransfer();
      for (const { name, type, text, base64 } of given) {
        const bytes = base64 ? Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)) : text;
        data.items.add(new File([bytes], name, { type }));
      }
      if (pastes) {
        // The constructor of clipboard events drops files in some browsers.
        const event = new Event('paste', { bubbles: true, cancelable: true });
        Object.defineProperty(event, 'clipboardData', { value: data });
        document.querySelector('textarea').dispatchEvent(event);
        return;
      }
      const chooser = document.querySelector('input[type=file]');
      chooser.files = data.files;
      chooser.dispatchEvent(new Event('change', { bubbles: true }));
    }, files, way === 'paste');
  }

  /** Shift and Tab until such an element has the focus. @param {string} selector */
  async tabBackTo(selector) {
    await (await this.see('textbox', 'Votre message')).focus();
    for (let presses = 0; presses < 6; presses += 1) {
      await this.press('Shift', 'Tab');
      if (await this.page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    }
    throw new Error(`${this.browserName}: no ${selector} within six presses of Shift and Tab`);
  }

  /** Leaves a message on the way that the server will refuse, as a page of another version could have. @param {number} id of the conversation */
  async leaveRefused(id) {
    await this.page.evaluate((conversationId) => new Promise((resolve) => {
      const opening = indexedDB.open('lexchat-1');
      opening.onsuccess = () => {
        const transaction = opening.result.transaction('outbox', 'readwrite');
        const createdAt = new Date().toISOString();
        transaction.objectStore('outbox').put({ clientMessageId: `left-${createdAt}`, conversationId, content: 'x'.repeat(10_001), files: [], replyToId: null, createdAt, stage: 'queued', seq: 1 });
        transaction.oncomplete = () => {
          opening.result.close();
          resolve();
        };
      };
    }), id);
    await this.page.reload({ waitUntil: 'load' });
  }

  /** Sends a message by keyboard. @param {string} text */
  async say(text) {
    await this.paste(text);
    await this.press('Enter');
  }

  /** @param {...string} keys held together, the last one pressed */
  async press(...keys) {
    for (const key of keys.slice(0, -1)) await this.page.keyboard.down(key);
    await this.page.keyboard.press(keys.at(-1));
    for (const key of keys.slice(0, -1).reverse()) await this.page.keyboard.up(key);
  }

  /** Until a condition of the page holds. @param {(...given: any[]) => any} condition @param {...any} given */
  async until(condition, ...given) {
    await this.page.waitForFunction(condition, { timeout: PATIENCE_MS, polling: 50 }, ...given).catch((error) => {
      throw new Error(`${this.browserName}: ${condition} with ${JSON.stringify(given)}: ${error.message}`);
    });
  }

  /** Until a message with this text is in the timeline. @param {string} text */
  async hears(text) {
    await this.until((wanted) => [...document.querySelectorAll('[role=log] article .text')].some((one) => one.textContent.includes(wanted)), text);
  }

  /** Until the message with this text has a name that tells one of these fates. @param {string} text @param {...string} fates */
  async fateIs(text, ...fates) {
    await this.until((wanted, told) => [...document.querySelectorAll('[role=log] article')].some((one) => one.textContent.includes(wanted) && told.some((fate) => one.getAttribute('aria-label').includes(fate))), text, fates);
  }

  /** Until the server has the message with this text, whether or not it was read since. @param {string} text */
  isSent(text) {
    return this.fateIs(text, 'Envoyé', 'Lu');
  }

  /** @returns {Promise<string[]>} the texts of the timeline, in order */
  texts() {
    return this.page.evaluate(() => [...document.querySelectorAll('[role=log] article .text')].map((one) => one.textContent));
  }

  /** Until the page has drawn once more. */
  frame() {
    return this.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  }

  /** Until what is on the page listens, and has taken the focus if it does so by itself: views do that once they were drawn. */
  hasBegun() {
    // A window out of sight is not drawn, and its views wait no longer than this.
    return this.page.evaluate(() => new Promise((resolve) => {
      requestAnimationFrame(() => setTimeout(resolve));
      setTimeout(resolve, 500);
    }));
  }

  /** Until the timeline has kept its rows and its place for a while. */
  async still() {
    await this.until(() => {
      const log = document.querySelector('[role=log]');
      const now = `${log.scrollTop} ${log.scrollHeight} ${log.querySelectorAll('article').length}`;
      if (now !== window.stillAs) Object.assign(window, { stillAs: now, stillSince: performance.now() });
      return performance.now() - window.stillSince > 300;
    });
  }

  /**
   * Presses End until the end is in sight. What is unread on the way is not passed: each press leads as far as that allows, and so further
   * than the one before.
   */
  async toEnd() {
    for (let presses = 0; presses < 6; presses += 1) {
      await this.page.evaluate(() => { window.before = document.querySelector('[role=log]').scrollTop; });
      await this.press('End');
      const found = await this.page.waitForFunction(() => {
        const log = document.querySelector('[role=log]');
        if (log.scrollHeight - log.scrollTop - log.clientHeight <= 1) return 'end';
        return log.scrollTop > window.before && 'further';
      }, { polling: 50 });
      if (await found.jsonValue() === 'end') return;
    }
    throw new Error(`${this.browserName}: not at the end after six presses of End`);
  }

  /** Opens a conversation through its row, until one can write there. @param {number} id */
  async openConversation(id) {
    await this.clickOn(`nav a[href="/c/${id}"]`);
    await this.see('log', 'Messages');
    await this.until(hasSettled);
  }

  /** Nothing that the condition describes happens for a while. @param {number} ms @param {(...given: any[]) => any} condition @param {...any} given */
  async never(ms, condition, ...given) {
    const until = Date.now() + ms;
    while (Date.now() < until) {
      if (await this.page.evaluate(condition, ...given)) throw new Error(`${this.browserName}: it did happen: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
