// The peer that lexchat is measured beside: sign-in, conversations and the relay of messages with the same
// names, shapes and promises (token checked, membership read for each message, `rev`, unread counts, one row per
// `clientMessageId`, acknowledged after a synced commit), written the way the documents of socket.io and
// better-sqlite3 suggest. It has no full-text index, no rate limits, no sessions in the database and no metrics,
// which all speaks in its favour.
//
//   node server.js --listen 127.0.0.1:3100 --db peer.db

import { randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import jwt from 'jsonwebtoken';
import { Server } from 'socket.io';
import { open } from './store.js';

const { values: flags } = parseArgs({
  options: { listen: { type: 'string', default: '127.0.0.1:3100' }, db: { type: 'string', default: 'peer.db' } },
});
const [host, port] = flags.listen.split(':');
const store = open(flags.db);
const secret = store.loadSecret(randomBytes(32));

// ---- HTTP: just enough to sign in and to make a conversation

class Refusal extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

function hashed(password, salt = randomBytes(16)) {
  return `${salt.toString('hex')}:${scryptSync(password, salt, 32).toString('hex')}`;
}

function matches(password, stored) {
  const [salt, hash] = stored.split(':').map((part) => Buffer.from(part, 'hex'));
  return timingSafeEqual(scryptSync(password, salt, 32), hash);
}

function signedIn(user) {
  const claims = { sub: String(user.id), email: user.email, role: user.role, sid: randomUUID() };
  return { accessToken: jwt.sign(claims, secret, { algorithm: 'HS256', expiresIn: '1h' }), user };
}

function actor(request) {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  try {
    return Number(jwt.verify(token, secret, { algorithms: ['HS256'] }).sub);
  } catch {
    throw new Refusal(401, 'UNAUTHENTICATED');
  }
}

const routes = {
  'GET /healthz': () => [200, 'ok'],
  'POST /auth/sign-up': (_, { name, email, password, role }) => {
    const user = { name, email, role: role ?? 'client' };
    return [201, signedIn({ id: store.insertUser({ ...user, passwordHash: hashed(password) }), ...user })];
  },
  'POST /auth/sign-in': (_, { email, password }) => {
    const found = store.findUserByEmail(email);
    if (!found || !matches(password, found.passwordHash)) throw new Refusal(401, 'UNAUTHENTICATED');
    const { passwordHash, ...user } = found;
    return [200, signedIn(user)];
  },
  'POST /conversations': (request, { participantId }) => {
    const [caller, other] = [store.findUser(actor(request)), store.findUser(participantId)];
    if (!other) throw new Refusal(404, 'NOT_FOUND');
    if (caller.role === other.role) throw new Refusal(409, 'CONFLICT');
    const [client, lawyer] = caller.role === 'client' ? [caller, other] : [other, caller];
    return [201, store.openConversation(client.id, lawyer.id)];
  },
};

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
}

const http = createServer(async (request, response) => {
  const reply = (status, body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  };
  try {
    const route = routes[`${request.method} ${request.url.split('?')[0]}`];
    if (!route) throw new Refusal(404, 'NOT_FOUND');
    reply(...route(request, await bodyOf(request)));
  } catch (error) {
    reply(error.status ?? 500, { code: error.code ?? 'INTERNAL', message: error.message });
  }
});

// ---- The socket

const io = new Server(http, { maxHttpBufferSize: 1_000_000, pingInterval: 25_000, pingTimeout: 20_000 });
const chat = io.of('/chat');

chat.use((socket, next) => {
  const token = socket.handshake.auth.token ?? socket.handshake.query.token;
  jwt.verify(token, secret, { algorithms: ['HS256'] }, (error, claims) => {
    if (error) return next(new Error('Token invalide ou expiré'));
    socket.data.userId = Number(claims.sub);
    next();
  });
});

const positive = (value) => Number.isSafeInteger(value) && value > 0;

const events = {
  'conversation:join'(socket, { conversationId }) {
    const conversation = positive(conversationId) && store.findConversationOf(socket.data.userId, conversationId);
    if (!conversation) throw new Refusal(404, 'NOT_FOUND');
    socket.join(`conversation:${conversationId}`);
    return { message: `Rejoint la conversation ${conversationId}`, conversation, messages: store.listLatest(conversationId) };
  },
  'message:send'(socket, { conversationId, content, clientMessageId }) {
    const text = typeof content === 'string' ? content.trim() : '';
    if (!positive(conversationId) || text.length < 1 || text.length > 10_000) throw new Refusal(400, 'INVALID');
    if (clientMessageId !== undefined && (typeof clientMessageId !== 'string' || clientMessageId.length > 64)) {
      throw new Refusal(400, 'INVALID');
    }
    const sent = store.sendMessage(socket.data.userId, conversationId, text, clientMessageId ?? null);
    if (!sent) throw new Refusal(404, 'NOT_FOUND');
    const { message, duplicate, recipient, sender, unreadCount } = sent;
    if (!duplicate) {
      const timestamp = new Date().toISOString();
      chat.to(`conversation:${conversationId}`).emit('message:new', { message, timestamp });
      chat.to(`user:${recipient}`).except(`conversation:${conversationId}`).emit('notification', {
        type: 'message', conversationId, messageId: message.id, senderId: message.senderId, senderName: sender,
        preview: text.slice(0, 80), unreadCount, timestamp,
      });
    }
    return { message, duplicate };
  },
};

chat.on('connection', (socket) => {
  socket.join(`user:${socket.data.userId}`);
  for (const [name, rule] of Object.entries(events)) {
    socket.on(name, (data, ack) => {
      let reply;
      try {
        reply = { success: true, ...rule(socket, data ?? {}) };
      } catch (error) {
        reply = { success: false, code: error.code ?? 'INTERNAL', error: error.message };
      }
      if (typeof ack === 'function') ack(reply);
    });
  }
});

http.listen(Number(port), host, () => console.log(`listening on http://${flags.listen}`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    io.close();
    store.close();
    process.exit(0);
  });
}
