/** A page written for the system of the seed document, opened from disk: its origin is `null`, its script the server's. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { page } from '../clients/page.js';
import { CHOSEN, Person, launch } from './person.js';
import { PASSWORD, Server } from './server.js';

for (const browser of CHOSEN) {
  describe(`a page from disk in ${browser}`, { concurrency: 1 }, () => {
    let launched, server, folder;
    before(async () => {
      launched = await launch(browser);
      server = await Server.start();
      folder = mkdtempSync(join(tmpdir(), 'lexchat-disk-'));
    });
    after(async () => {
      await launched.close();
      await server.stop();
      rmSync(folder, { recursive: true });
    });

    test('signs in, joins, writes and is written to', async () => {
      const file = join(folder, 'test-websocket.html');
      const script = `<script src="${server.url}/socket.io/socket.io.js"></script>`;
      writeFileSync(file, `<!doctype html><meta charset="utf-8"><pre></pre>${script}<script>const page = ${page};</script>`);
      await server.conversation();
      const person = await Person.in(launched);
      await person.page.goto(pathToFileURL(file).href);
      await person.page.evaluate(async (url, password) => {
        const body = JSON.stringify({ email: 'client1@example.com', password });
        const answer = await fetch(`${url}/auth/sign-in`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
        const { accessToken } = await answer.json();
        const log = document.querySelector('pre');
        window.shown = page(io, `${url.replace('http', 'ws')}/chat`, accessToken, (line) => { log.textContent += `${line}\n`; });
        window.shown.joinConversation('1');
        window.shown.sendMessage('1', 'Hello !');
      }, server.url, PASSWORD);
      const reads = (line) => person.until((wanted) => document.querySelector('pre').textContent.includes(wanted), line);
      await reads('💬 [1] Hello !');
      await reads('📤 Message envoyé');
      await server.send(await server.tokenOf('juriste1'), 1, 'Bonjour !');
      await reads('💬 [6] Bonjour !');
      assert.deepEqual(person.complaints, []);
      await person.close();
    });
  });
}
