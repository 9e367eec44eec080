// The seed document's session, replayed by the official client in two versions: sign in, make a conversation, connect,
// join, write, type, read, leave.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { io as io45 } from 'socket.io-client-4.5';
import { io as io48 } from 'socket.io-client-4.8';
import { ask, signIn, start } from './server.js';
import { connected, refused, within, witness } from './witness.js';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

for (const [version, io] of [['4.5', io45], ['4.8', io48]]) {
  describe(`socket.io-client ${version}`, () => {
    let server;
    const tokens = {};
    const open = [];

    /** A socket that is closed after the tests whatever happens. */
    function socketTo(url, options) {
      const socket = io(url, { forceNew: true, reconnection: false, ...options });
      open.push(socket);
      return socket;
    }

    /** Connects as the seed document shows. */
    async function join(token) {
      return witness(await connected(socketTo(`ws://localhost:${server.port}/chat`, { query: { token } })));
    }

    before(async () => {
      server = await start();
      for (const name of ['client1', 'client2', 'juriste1']) {
        tokens[name] = (await signIn(server, `${name}@example.com`)).accessToken;
      }
      const made = await ask(server, 'POST', '/conversations', { token: tokens.client1, body: { participantId: 6 } });
      assert.equal(made.status, 200, 'the demo accounts come with it');
      assert.deepEqual([made.body.id, made.body.clientId, made.body.lawyerId], [1, 1, 6]);
    });

    after(async () => {
      for (const socket of open) socket.close();
      await server?.stop();
    });

    test('two people chat as the seed document shows', async () => {
      const client = await join(tokens.client1);
      const jurist = await join(tokens.juriste1);
      const online = await client.expect('user:online', (data) => data.userId === 6);
      assert.match(online.timestamp, ISO);

      for (const person of [client, jurist]) {
        const joined = await person.ask('conversation:join', { conversationId: 1 });
        assert.equal(joined.success, true);
        assert.equal(joined.message, 'Rejoint la conversation 1');
        assert.equal(joined.conversation.id, 1);
        assert.deepEqual(joined.messages.map(({ id }) => id), [1, 2, 3, 4, 5, 6]);
        assert.equal(joined.hasMore, false);
        assert.deepEqual(joined.onlineUsers, [1, 6]);
      }

      const sent = await client.ask('message:send', {
        conversationId: 1,
        content: 'Hello !',
        attachments: ['https://example.com/document.pdf'],
      });
      assert.equal(sent.success, true);
      const { message } = sent;
      assert.deepEqual(
        [message.conversationId, message.senderId, message.content, message.isRead, message.isDeleted],
        [1, 1, 'Hello !', false, false],
      );
      assert.deepEqual(message.attachments, ['https://example.com/document.pdf']);
      assert.match(message.createdAt, ISO);
      for (const person of [client, jurist]) {
        const told = await person.expect('message:new');
        assert.equal(told.message.id, message.id);
        assert.equal(told.message.content, 'Hello !');
        assert.match(told.timestamp, ISO);
      }

      const typing = await jurist.ask('message:typing', { conversationId: 1, isTyping: true });
      assert.deepEqual(typing, { success: true });
      const told = await client.expect('user:typing');
      assert.deepEqual([told.userId, told.conversationId, told.isTyping], [6, 1, true]);
      assert.equal(await jurist.count('user:typing'), 0);

      const read = await jurist.ask('message:read', { messageId: message.id });
      assert.equal(read.success, true);
      assert.deepEqual([read.lastReadMessageId, read.unreadCount], [message.id, 0]);
      for (const person of [client, jurist]) {
        const mark = await person.expect('message:read:ack');
        assert.deepEqual([mark.messageId, mark.readBy], [message.id, 6]);
      }

      const users = await client.ask('conversation:users:online', { conversationId: 1 });
      assert.deepEqual(users, { success: true, onlineUsers: [1, 6] });

      const left = await client.ask('conversation:leave', { conversationId: 1 });
      assert.deepEqual(left, { success: true, message: 'Quitté la conversation 1' });
      const second = await jurist.ask('message:send', { conversationId: 1, content: 'Bonjour !' });
      const notice = await client.expect('notification');
      assert.deepEqual(
        [notice.type, notice.conversationId, notice.messageId, notice.senderId, notice.preview, notice.unreadCount],
        ['message', 1, second.message.id, 6, 'Bonjour !', 1],
      );
      assert.equal(await client.count('message:new'), 0);

      client.socket.disconnect();
      const offline = await jurist.expect('user:offline');
      assert.equal(offline.userId, 1);
      jurist.socket.disconnect();
    });

    test('an outsider is refused and hears nothing', async () => {
      const outsider = await join(tokens.client2);
      const member = await join(tokens.client1);
      await member.ask('conversation:join', { conversationId: 1 });
      const refusal = await outsider.ask('conversation:join', { conversationId: 1 });
      assert.equal(refusal.success, false);
      assert.equal(refusal.code, 'NOT_FOUND');
      assert.equal(typeof refusal.error, 'string');
      const missing = await outsider.ask('conversation:join', { conversationId: 99 });
      assert.deepEqual(missing, refusal);
      const sent = await outsider.ask('message:send', { conversationId: 1, content: 'x' });
      assert.equal(sent.success, false);
      await member.ask('message:send', { conversationId: 1, content: 'entre nous' });
      assert.equal(await outsider.count('message:new'), 0);
      assert.deepEqual(outsider.heard, []);
      member.socket.disconnect();
      outsider.socket.disconnect();
    });

    test('the token may come as query, auth payload or header, over each transport', async () => {
      const token = tokens.client1;
      const ways = [{ query: { token } }, { auth: { token } }, { extraHeaders: { Authorization: `Bearer ${token}` } }];
      for (const transports of [['polling', 'websocket'], ['websocket'], ['polling']]) {
        for (const way of ways) {
          const socket = socketTo(`ws://localhost:${server.port}/chat`, { transports, ...way });
          const person = witness(await connected(socket));
          const joined = await person.ask('conversation:join', { conversationId: 1 });
          assert.equal(joined.success, true, `${transports} ${Object.keys(way)}`);
          socket.disconnect();
        }
      }
    });

    test('the endpoint answers under /chat/ as well', async () => {
      const query = { token: tokens.client1 };
      const socket = socketTo(`ws://localhost:${server.port}/chat`, { path: '/chat/', query });
      const person = witness(await connected(socket));
      assert.equal((await person.ask('conversation:join', { conversationId: 1 })).success, true);
      socket.disconnect();
    });

    test('no token, a bad token and another namespace are told by connect_error', async () => {
      const url = `ws://localhost:${server.port}`;
      const missing = await refused(socketTo(`${url}/chat`, {}));
      assert.equal(missing.message, 'Token manquant');
      assert.equal(missing.data.code, 'UNAUTHENTICATED');
      const bad = await refused(socketTo(`${url}/chat`, { auth: { token: 'garbage' } }));
      assert.equal(bad.message, 'Token invalide ou expiré');
      assert.equal(bad.data.code, 'UNAUTHENTICATED');
      for (const namespace of ['/', '/other']) {
        const invalid = await refused(socketTo(url + namespace, { query: { token: tokens.client1 } }));
        assert.equal(invalid.message, 'Invalid namespace');
      }
    });

    test('why a session ended is told over each transport before the socket is closed', async () => {
      for (const transports of [['polling', 'websocket'], ['websocket'], ['polling']]) {
        const { accessToken: token } = await signIn(server, 'client3@example.com');
        const person = witness(await connected(socketTo(`ws://localhost:${server.port}/chat`, { transports, query: { token } })));
        const gone = within(new Promise((resolve) => person.socket.once('disconnect', resolve)), 'disconnect');
        assert.equal((await ask(server, 'POST', '/auth/sign-out', { token })).status, 204);
        assert.deepEqual(await person.expect('auth:expired'), { reason: 'signed_out' }, `${transports}`);
        assert.equal(await gone, 'io server disconnect', `${transports}`);
      }
    });

    test('a file travels as binary data', async () => {
      const person = await join(tokens.client1);
      await person.ask('conversation:join', { conversationId: 1 });
      const data = Buffer.from('%PDF-1.4\n%âãÏÓ\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n', 'latin1');
      const sent = await person.ask('message:send', { conversationId: 1, content: '', files: [{ name: 'acte.pdf', data }] });
      assert.equal(sent.success, true, JSON.stringify(sent));
      const [file] = sent.message.files;
      assert.deepEqual([file.name, file.size, file.mimeType], ['acte.pdf', data.length, 'application/pdf']);
      const answer = await fetch(server.url + file.url, { headers: { authorization: `Bearer ${tokens.juriste1}` } });
      assert.equal(answer.status, 200);
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), data);
      person.socket.disconnect();
    });

    test('what fails without an ack is told by exception, and an unknown event is refused', async () => {
      const person = await join(tokens.client2);
      person.socket.emit('message:send', { conversationId: 1, content: 'x' });
      const exception = await person.expect('exception');
      assert.deepEqual([exception.status, exception.code, exception.event], ['error', 'NOT_FOUND', 'message:send']);
      const unknown = await person.ask('no:such:event', {});
      assert.deepEqual([unknown.success, unknown.code], [false, 'INVALID']);
      person.socket.disconnect();
    });
  });
}
