/** What a conversation is worth afterwards: taken out for the file, found again by day and person, marked, closed. */
import assert from 'node:assert/strict';
import { readFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../support/node.mjs';
import { CHOSEN, Person, launch } from './person.js';
import { Server } from './server.js';

for (const name of CHOSEN) {
  describe(name, { concurrency: 1 }, () => {
    let launched, server, id;
    before(async () => {
      launched = await launch(name);
      server = await Server.start();
      id = await server.conversation();
    });
    after(async () => {
      await launched.close();
      await server.stop();
    });

    test('a conversation is taken out as a PDF, and found again by person and day', async () => {
      const a = await Person.in(launched);
      await a.enter(server.url, 'client');
      await a.openConversation(id);
      await a.say('Le bail est résilié au 31 décembre');
      await a.fateIs('Le bail est résilié au 31 décembre', 'Envoyé');
      if (name === 'chromium') {
        const folder = mkdtempSync(join(tmpdir(), 'lexchat-export-'));
        const session = await a.page.createCDPSession();
        await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, browserContextId: a.context.id });
        await a.click('button', 'Exporter la conversation');
        await a.click('button', 'Télécharger');
        // Its name is there, empty, before the browser has put what it saves in that place.
        const bytes = await until(() => readdirSync(folder).filter((one) => one.endsWith('.pdf')).map((one) => readFileSync(join(folder, one), 'latin1')).find(Boolean), 'the file is saved');
        assert.match(bytes, /^%PDF-/);
        rmSync(folder, { recursive: true });
      }
      await a.visit(`${server.url}/recherche?q=resilie`);
      await a.page.waitForSelector('.result');
      await a.page.select('.chips select', '6');
      await a.page.waitForFunction(() => location.search.includes('senderId=6') && !document.querySelector('.result'));
      await a.click('button', 'Tout effacer');
      await a.page.waitForSelector('.result');
      const chosen = (selector, day) => a.page.$eval(selector, (field, value) => {
        field.value = value;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      }, day);
      await chosen('.chips input[type=date]', '2100-01-01');
      await a.until(() => location.search.includes('from=2100-01-01') && !document.querySelector('.result'));
      await a.click('button', 'Tout effacer');
      await a.page.waitForSelector('.result');
      await a.clickOn('.result');
      await a.page.waitForFunction(() => !('highlights' in CSS) || CSS.highlights.get('hit')?.size > 0);

      // To a day on which nothing was said: the next one on which something was.
      await server.flood(id, 60);
      await a.hears('message 60');
      await a.page.waitForSelector('.details .go-to-day');
      await chosen('.details .go-to-day input', '2020-02-03');
      await a.click('button', 'Y aller');
      await a.until(() => /\/m\/1$/.test(location.pathname) && document.querySelector('[role=log] article[data-id="1"]'));
      await a.until(() => {
        const log = document.querySelector('[role=log]');
        log.scrollTop = log.scrollTop === 200 ? 201 : 200;
        return document.querySelector('.floating-day.shown')?.textContent === 'Aujourd’hui';
      });
      assert.deepEqual(a.complaints, []);
      await a.close();
    });

    test('what a server looks for bit by bit is asked for until it is found', async () => {
      await server.send(await server.tokenOf('juriste1'), id, 'La servitude de passage');
      const a = await Person.in(launched);
      await a.page.evaluateOnNewDocument(() => {
        const { fetch } = window;
        window.cursors = [];
        window.fetch = (path, ...more) => {
          const url = new URL(path, location.href);
          if (!url.pathname.endsWith('/messages/search')) return fetch(path, ...more);
          const cursor = url.searchParams.get('cursor');
          cursors.push(cursor);
          // As a server answers that has not come to it yet.
          const next = { null: 'one', one: 'two' }[cursor];
          if (next) return Promise.resolve(Response.json({ results: [], nextCursor: next }));
          url.searchParams.delete('cursor');
          return fetch(url.href, ...more);
        };
      });
      await a.enter(server.url, 'client');
      await a.visit(`${server.url}/recherche?q=servitude`);
      await a.until(() => document.querySelector('.result')?.textContent.includes('servitude'));
      assert.deepEqual(await a.page.evaluate(() => cursors), [null, 'one', 'two']);
      assert.deepEqual(a.complaints, []);
      await a.close();
    });

    test('what is marked as unread is unread again, in the list that one is led to', async () => {
      await server.send(await server.tokenOf('client1'), id, 'À relire demain');
      const b = await Person.in(launched);
      await b.page.evaluateOnNewDocument(() => {
        Navigator.prototype.setAppBadge = async (count) => { window.onIcon = count; };
      });
      await b.enter(server.url, 'juriste');
      await b.page.waitForSelector('nav .count');
      const isOnIcon = (count) => b.until((wanted) => window.onIcon === wanted, count);
      await isOnIcon(await b.page.evaluate(() => Number(document.querySelector('nav .count [aria-hidden]').textContent)));
      await b.openConversation(id);
      await b.hears('À relire demain');
      await b.until(() => !document.querySelector('nav .count'));
      await isOnIcon(0);
      const row = await b.page.waitForSelector('article.peer[data-id]:last-child');
      await row.focus();
      // Once: what the key opens may come a moment later, and a second press would choose in it.
      await b.press('Enter');
      await b.page.waitForSelector('dialog[open] .menu-item');
      await b.click('button', 'Marquer comme non lu');
      await b.page.waitForSelector('nav .count');
      await isOnIcon(1);
      assert.equal(await b.page.evaluate(() => location.pathname), '/');
      assert.deepEqual(b.complaints, []);
      await b.close();
    });

    test('what another app shares is a draft for whom one chooses, and nothing is sent by itself', async () => {
      const a = await Person.in(launched);
      await a.enter(server.url, 'client');
      await a.page.evaluate(async () => {
        const kept = await caches.open('shared-lexchat');
        await kept.put('/partage/texte', new Response('Voici l’acte'));
        await kept.put('/partage/1/acte.txt', new Response('x', { headers: { 'Content-Type': 'text/plain' } }));
      });
      const { body: before } = await server.call('GET', `/messages?conversationId=${id}`, { token: await server.tokenOf('client1') });
      await a.visit(`${server.url}/partage`);
      await a.clickOn('.pane .rows .row');
      await a.until(() => document.querySelector('.composer textarea')?.value === 'Voici l’acte' && document.querySelector('.staged-file')?.textContent.includes('acte.txt'));
      assert.equal(await a.page.evaluate(() => location.pathname), `/c/${id}`);
      const { body: then } = await server.call('GET', `/messages?conversationId=${id}`, { token: await server.tokenOf('client1') });
      assert.equal(then.length, before.length);
      await a.visit(`${server.url}/partage`);
      await a.until(() => document.querySelector('.pane')?.textContent.includes('Rien n’a été partagé'));
      assert.deepEqual(a.complaints, []);
      await a.close();
    });

    test('a closed account is told in the place of the composer', async () => {
      const b = await Person.in(launched);
      await b.enter(server.url, 'juriste');
      await b.openConversation(id);
      await server.call('PATCH', '/admin/users/1', { token: await server.tokenOf('admin'), body: { isActive: false } });
      await b.visit(`${server.url}/c/${id}`);
      await b.page.waitForSelector('.closed');
      assert.equal(await b.page.$('.composer'), null);
      assert.match(await b.page.$eval('.closed', (element) => element.textContent), /est fermé/);
      await b.close();
    });
  });
}
