/** How fast and how small the page is, measured in Chromium on the real server; the figures are printed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CHOSEN, Person, launch } from './person.js';
import { Server } from './server.js';

/** Goals of the page; a machine that runs other work beside the tests may be given room by a factor. */
const ROOM = Number(process.env.LEXCHAT_TIME_FACTOR ?? 1);

describe('budgets', { concurrency: 1, skip: !CHOSEN.includes('chromium') }, () => {
  let launched, server, id;
  before(async () => {
    launched = await launch('chromium');
    server = await Server.start();
    id = await server.conversation();
    await server.flood(id, 1_000);
  });
  after(async () => {
    await launched.close();
    await server.stop();
  });

  /** @param {string} what @param {number} measured @param {number} goal @param {string} unit */
  function judge(what, measured, goal, unit) {
    console.log(`budget: ${what}: ${measured.toFixed(1)} ${unit} (at most ${goal})`);
    assert.ok(measured <= goal, `${what}: ${measured} ${unit}`);
  }

  test('first paint and a usable sign-in', async () => {
    const paints = [];
    const usable = [];
    for (let round = 0; round < 5; round += 1) {
      const a = await Person.in(launched);
      await a.page.evaluateOnNewDocument(() => {
        new MutationObserver(() => {
          if (!window.usableAt && document.querySelector('input[type=password]')) window.usableAt = performance.now();
        }).observe(document, { childList: true, subtree: true });
      });
      await a.visit(server.url);
      await a.see('button', 'Se connecter');
      const [paint, ready] = await a.page.evaluate(() => [performance.getEntriesByName('first-contentful-paint')[0].startTime, window.usableAt]);
      paints.push(paint);
      usable.push(ready);
      await a.close();
    }
    judge('first paint', median(paints), 300 * ROOM, 'ms');
    judge('usable sign-in', median(usable), 500 * ROOM, 'ms');
  });

  test('opening a conversation, appending to 300 rows, and a still timeline', async () => {
    const b = await Person.in(launched);
    await b.enter(server.url, 'juriste');
    await b.page.waitForSelector(`nav a[href="/c/${id}"]`);
    const opening = await b.page.evaluate((wanted) => new Promise((resolve) => {
      const began = performance.now();
      const watch = new MutationObserver(() => {
        if (document.querySelectorAll('[role=log] article').length < 50) return;
        watch.disconnect();
        resolve(performance.now() - began);
      });
      watch.observe(document, { childList: true, subtree: true });
      document.querySelector(`nav a[href="/c/${wanted}"]`).click();
    }), id);
    judge('open a conversation of 50 messages', opening, 200 * ROOM, 'ms');

    // Up until 300 rows are there, then back to the end.
    for (let round = 0; round < 60; round += 1) {
      const rows = await b.page.evaluate(() => {
        const log = document.querySelector('[role=log]');
        log.scrollTop = 0;
        return log.querySelectorAll('article').length;
      });
      if (rows >= 300) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await b.press('End');
    await b.hears('message 1000');
    await b.page.evaluate(() => {
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const moved = entry.sources.find(({ node }) => node?.closest?.('[role=log]'));
          if (!moved) continue;
          window.shift += entry.value;
          window.moved.push(`${moved.node.textContent.slice(0, 30)}: ${moved.previousRect.y} → ${moved.currentRect.y}`);
        }
      }).observe({ type: 'layout-shift', buffered: false });
      window.moved = [];
    });
    const token = await server.tokenOf('client1');
    const metrics = async () => (await b.page.metrics()).ScriptDuration * 1000;
    const spent = [];
    for (let at = 0; at < 30; at += 1) {
      const before = await metrics();
      await server.send(token, id, `ajout ${at}`);
      await b.hears(`ajout ${at}`);
      spent.push(await metrics() - before);
    }
    judge('script for one more message', median(spent), 12 * ROOM, 'ms, asking for it included');
    const { shift, moved } = await b.page.evaluate(() => ({ shift: window.shift, moved: window.moved }));
    if (moved.length) console.log(`moved: ${moved.slice(0, 5).join(' | ')} (${moved.length} times)`);
    judge('layout shift in the timeline', shift, 0.001, '');
    await b.close();
  });

  test('memory after scrolling far', async () => {
    const b = await Person.in(launched);
    await b.enter(server.url, 'juriste');
    await b.openConversation(id);
    let reached = false;
    for (let round = 0; round < 200 && !reached; round += 1) {
      reached = await b.page.evaluate(() => {
        const log = document.querySelector('[role=log]');
        log.scrollTop = 0;
        return [...log.querySelectorAll('.text')].some((one) => one.textContent === 'message 1');
      });
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    assert.ok(reached, 'the first message can be scrolled to');
    const rows = await b.page.evaluate(() => document.querySelectorAll('[role=log] article').length);
    await b.page.evaluate(() => globalThis.gc?.());
    const heap = (await b.page.metrics()).JSHeapUsedSize / 1e6;
    judge('rows in the document', rows, 400, '');
    judge('heap after scrolling 1 000 messages', heap, 60, 'MB');
    await b.close();
  });
});

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
