// Behind each proxy of docs/deploy all works that works without one, and neither a reload of the proxy nor a restart of
// the server loses or doubles anything.

import assert from 'node:assert/strict';
import https from 'node:https';
import { describe, test, before, after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Office, converse, file, until } from './office.js';
import { PROXIES } from './proxies.js';

/** Longer than any of the servers keeps an idle connection by default that has a short one. */
const IDLE_MS = process.env.LEXCHAT_TEST_LONG ? 200_000 : 50_000;
const MB = 1_000_000;

// Side by side: most of the time is spent on waiting with idle connections.
describe('proxies', { concurrency: Object.keys(PROXIES).length }, () => {
  for (const name of Object.keys(PROXIES)) describe(name, { concurrency: 1 }, () => {
    /** @type {Office} */
    let office;
    before(async () => { office = await Office.open(name); });
    after(() => office?.close());

    test('answers over TLS, HTTP/1.1 and HTTP/2, and tells browsers to stay there', async () => {
      const { status, headers } = await office.ask('GET', '/');
      assert.equal(status, 200);
      assert.match(headers['strict-transport-security'], /max-age=\d{7}/);
      const second = await office.askH2('GET', '/readyz');
      assert.deepEqual([second.status, second.protocol], [200, 'h2']);
    });

    for (const transport of ['websocket', 'polling']) {
      test(`carries ${transport}`, async () => {
        const sockets = [office.socket(office.client, { transports: [transport] }), office.socket(office.jurist, { transports: [transport] })];
        await until(() => sockets.every((socket) => socket.connected), `${transport} connects`);
        for (const socket of sockets) await socket.emitWithAck('conversation:join', { conversationId: office.conversation });
        const heard = new Promise((resolve) => sockets[1].on('message:new', resolve));
        const ack = await sockets[0].emitWithAck('message:send', { conversationId: office.conversation, content: transport });
        assert.equal(ack.success, true);
        assert.equal((await heard).message.content, transport);
        assert.equal(sockets[0].io.engine.transport.name, transport);
        for (const socket of sockets) socket.close();
      });
    }

    test('upgrades from polling to WebSocket', async () => {
      const socket = office.socket(office.client);
      await until(() => socket.connected && socket.io.engine.transport.name === 'websocket', 'the upgrade');
      socket.close();
    });

    test('takes a file of 60 MB', async () => {
      const { bytes, sha256 } = file(60 * MB);
      for (const way of ['ask', 'askH2']) {
        const stored = await office[way]('POST', `/attachments?conversationId=${office.conversation}&name=gros.bin`, { token: office.client.token, bytes });
        assert.equal(stored.status, 201, `${way}: ${JSON.stringify(stored.body)}`);
        assert.equal(stored.body.sha256, sha256);
      }
    });

    test('brings the refusal of an upload back', async () => {
      for (const size of [MB / 3, 20 * MB, 90 * MB]) {
        const { bytes } = file(Math.round(size));
        for (const way of ['ask', 'askH2', 'ask', 'askH2']) {
          const refused = await office[way]('POST', `/attachments?conversationId=${office.conversation}&name=gros.bin`, { token: 'ended', bytes });
          assert.equal(refused.status, 401, `${way}, ${size} bytes`);
        }
      }
    });

    test('leaves idle connections alone', async () => {
      const socket = office.socket(office.client, { transports: ['websocket'] });
      let losses = 0;
      socket.on('disconnect', () => { losses += 1; });
      await until(() => socket.connected, 'a socket');
      const agent = new https.Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false });
      const post = (round) => Promise.all([...Array(8).keys()].map((number) => office.ask('POST', '/messages', {
        token: office.client.token, agent, body: { conversationId: office.conversation, content: `${round} ${number}` },
      })));
      for (const { status } of await post('before')) assert.equal(status, 201);
      await sleep(IDLE_MS);
      for (const { status } of await post('after')) assert.equal(status, 201);
      assert.equal(losses, 0);
      assert.equal((await socket.emitWithAck('conversation:join', { conversationId: office.conversation })).success, true);
      socket.close();
      agent.destroy();
    });

    /** @param {import('node:test').TestContext} t @param {() => Promise<unknown>} disturb @param {{transports?: string[]}} [options] */
    const unharmed = async (t, disturb, options) => {
      const { sent, stored, heardTwice, failures, probes } = await converse(office, disturb, options);
      const lost = sent.filter((id) => !stored.includes(id)).length;
      t.diagnostic(`of ${sent.length} sent ${lost} lost, ${stored.length - new Set(stored).size} stored and ${heardTwice.length} heard twice; of ${probes} requests refused: ${failures.length} ${failures}`);
      assert.deepEqual(stored, sent, 'none lost, none twice, in order');
      assert.deepEqual(heardTwice, []);
      assert.ok(probes > 50, `${probes} probes`);
      assert.ok(failures.length <= 1, `refused: ${failures}`);
    };
    test('is reloaded in the middle of a conversation', (t) => unharmed(t, () => office.proxy.reload()));
    test('keeps a conversation while the server restarts', (t) => unharmed(t, () => office.restart()));
    test('keeps a conversation by polling while the server restarts', (t) => unharmed(t, () => office.restart(), { transports: ['polling'] }));
  });
});
