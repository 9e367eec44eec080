// The official client comes back by itself after the server was killed, with the same token, and catches up by `rev`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { io } from 'socket.io-client-4.8';
import { ask, signIn, start } from './server.js';
import { connected, within, witness } from './witness.js';

test('a client that was cut off comes back by itself and misses nothing', async (t) => {
  let server = await start();
  t.after(() => server.stop());
  const client = await signIn(server, 'client1@example.com');
  const jurist = await signIn(server, 'juriste1@example.com');
  await ask(server, 'POST', '/conversations', { token: client.accessToken, body: { participantId: 6 } });
  const person = witness(
    io(`ws://localhost:${server.port}/chat`, {
      auth: { token: client.accessToken },
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
    }),
  );
  t.after(() => person.socket.close());
  await connected(person.socket);
  await person.ask('conversation:join', { conversationId: 1 });
  const before = await person.ask('message:send', { conversationId: 1, content: 'avant', clientMessageId: 'a' });

  const gone = within(new Promise((resolve) => person.socket.once('disconnect', resolve)), 'disconnect');
  await server.kill();
  assert.match(await gone, /^transport (close|error)$/);
  const back = within(new Promise((resolve) => person.socket.once('connect', resolve)), 'the second connect');
  server = await start({ port: server.port, dir: server.dir });
  const said = await ask(server, 'POST', '/messages', {
    token: jurist.accessToken,
    body: { conversationId: 1, content: 'entre-temps' },
  });
  assert.equal(said.status, 201);
  await back;

  const changes = await person.ask('conversation:sync', { conversationId: 1, rev: before.message.rev });
  assert.deepEqual(changes.messages.map((message) => message.content), ['entre-temps']);
  const again = await person.ask('message:send', { conversationId: 1, content: 'avant', clientMessageId: 'a' });
  assert.deepEqual([again.duplicate, again.message.id], [true, before.message.id]);
});
