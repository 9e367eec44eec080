// A page written for the system of the seed document works against this server without a changed line.

import { test } from 'node:test';

import { io } from 'socket.io-client-4.8';
import { page } from './page.js';
import { ask, signIn, start } from './server.js';
import { within } from './witness.js';

/** A page and the lines on it. */
function opened(server, token) {
  const lines = [];
  const waiting = new Set();
  const shown = page(io, `ws://localhost:${server.port}/chat`, token, (line) => {
    lines.push(line);
    for (const look of [...waiting]) look();
  });
  /** Waits until a line that is `wanted`, or matches it, stands on the page. */
  const reads = (wanted) => {
    const is = (line) => (typeof wanted === 'string' ? line === wanted : wanted.test(line));
    const found = new Promise((resolve) => {
      const look = () => lines.some(is) && (waiting.delete(look), resolve());
      waiting.add(look);
      look();
    });
    return within(found, String(wanted), () => JSON.stringify(lines));
  };
  return { ...shown, lines, reads };
}

test('a page written for the old system works without a changed line', async (t) => {
  const server = await start();
  t.after(() => server.stop());
  const client = await signIn(server, 'client1@example.com');
  const jurist = await signIn(server, 'juriste1@example.com');
  const stranger = await signIn(server, 'client2@example.com');
  await ask(server, 'POST', '/conversations', { token: client.accessToken, body: { participantId: 6 } });

  const left = opened(server, client.accessToken);
  await left.reads('✅ Connecté');
  const right = opened(server, jurist.accessToken);
  await left.reads('🟢 6');
  left.joinConversation('1');
  await left.reads('🚪 Rejoint la conversation 1');
  right.joinConversation('1');
  await right.reads('🚪 Rejoint la conversation 1');

  right.setTyping('1', true);
  await left.reads('✍️ 6 écrit...');
  right.setTyping('1', false);
  await left.reads('✍️ 6 a fini');
  left.sendMessage('1', 'Hello !');
  await left.reads('📤 Message envoyé');
  await left.reads('💬 [1] Hello !');
  await right.reads('💬 [1] Hello !');
  await left.reads('✅ 6 a lu 7');
  left.sendMessage('1', '   ');
  await left.reads(/^⚠️ ./);

  const outside = opened(server, stranger.accessToken);
  await outside.reads('✅ Connecté');
  outside.joinConversation('1');
  await outside.reads(/^⚠️ ./);
  outside.close();

  left.leaveConversation('1');
  await left.reads('👋 Quitté la conversation 1');
  left.close();
  await right.reads('⚫ 1');
  right.close();

  const nobody = opened(server, 'garbage');
  await nobody.reads('⚠️ Token invalide ou expiré');
  nobody.close();
});
