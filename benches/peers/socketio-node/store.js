// The peer's database: one connection, write-ahead log, `synchronous = FULL`, one transaction per message.

import Database from 'better-sqlite3';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS users (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, role TEXT NOT NULL, passwordHash TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS conversations (
  id INTEGER PRIMARY KEY,
  clientId INTEGER NOT NULL REFERENCES users (id),
  lawyerId INTEGER NOT NULL REFERENCES users (id),
  rev INTEGER NOT NULL DEFAULT 0,
  unreadCountClient INTEGER NOT NULL DEFAULT 0,
  unreadCountLawyer INTEGER NOT NULL DEFAULT 0,
  lastMessageAt INTEGER, lastMessageText TEXT, createdAt INTEGER NOT NULL,
  UNIQUE (clientId, lawyerId)
) STRICT;
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY,
  conversationId INTEGER NOT NULL REFERENCES conversations (id),
  senderId INTEGER NOT NULL REFERENCES users (id),
  content TEXT NOT NULL, clientMessageId TEXT, rev INTEGER NOT NULL, createdAt INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS messages_by_client_message_id ON messages (senderId, clientMessageId)
  WHERE clientMessageId IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_by_conversation ON messages (conversationId, id);
`;

export function open(file) {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.exec(SCHEMA);

  const insertUser = db.prepare(
    'INSERT INTO users (name, email, role, passwordHash) VALUES (:name, :email, :role, :passwordHash)');
  const findUser = db.prepare('SELECT id, name, email, role FROM users WHERE id = ?');
  const findUserByEmail = db.prepare('SELECT * FROM users WHERE email = ?');
  const insertConversation = db.prepare(
    'INSERT INTO conversations (clientId, lawyerId, createdAt) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const findConversation = db.prepare('SELECT * FROM conversations WHERE clientId = ? AND lawyerId = ?');
  const findConversationOf = db.prepare(
    'SELECT * FROM conversations WHERE id = :conversationId AND :userId IN (clientId, lawyerId)');
  const listLatest = db.prepare('SELECT * FROM messages WHERE conversationId = ? ORDER BY id DESC LIMIT 50');
  const findSeenBefore = db.prepare('SELECT * FROM messages WHERE senderId = ? AND clientMessageId = ?');
  const insertMessage = db.prepare(
    'INSERT INTO messages (conversationId, senderId, content, clientMessageId, rev, createdAt) VALUES (?, ?, ?, ?, ?, ?)');
  const advanceConversation = db.prepare(`
    UPDATE conversations
       SET rev = :rev, lastMessageAt = :at, lastMessageText = :text,
           unreadCountClient = unreadCountClient + :forClient, unreadCountLawyer = unreadCountLawyer + :forLawyer
     WHERE id = :id`);

  const shown = (row) => ({
    id: row.id, conversationId: row.conversationId, senderId: row.senderId, content: row.content,
    attachments: null, files: [], replyToId: null, reactions: [], isRead: false, readAt: null,
    isDeleted: false, deletedAt: null, editedAt: null, createdAt: new Date(row.createdAt).toISOString(),
    clientMessageId: row.clientMessageId, rev: row.rev,
  });

  const sendMessage = db.transaction((userId, conversationId, content, clientMessageId) => {
    const conversation = findConversationOf.get({ conversationId, userId });
    if (!conversation) return null;
    const seen = clientMessageId === null ? undefined : findSeenBefore.get(userId, clientMessageId);
    if (seen) return { message: shown(seen), duplicate: true };
    const fromClient = userId === conversation.clientId;
    const [rev, createdAt] = [conversation.rev + 1, Date.now()];
    const id = Number(
      insertMessage.run(conversationId, userId, content, clientMessageId, rev, createdAt).lastInsertRowid);
    advanceConversation.run({
      id: conversationId, rev, at: createdAt, text: content.slice(0, 200),
      forClient: fromClient ? 0 : 1, forLawyer: fromClient ? 1 : 0,
    });
    return {
      message: shown({ id, conversationId, senderId: userId, content, clientMessageId, rev, createdAt }),
      duplicate: false,
      recipient: fromClient ? conversation.lawyerId : conversation.clientId,
      sender: findUser.get(userId).name,
      unreadCount: (fromClient ? conversation.unreadCountLawyer : conversation.unreadCountClient) + 1,
    };
  });

  return {
    loadSecret(fresh) {
      db.prepare("INSERT INTO keys VALUES ('jwt', ?) ON CONFLICT DO NOTHING").run(fresh);
      return db.prepare("SELECT value FROM keys WHERE name = 'jwt'").pluck().get();
    },
    insertUser: (user) => Number(insertUser.run(user).lastInsertRowid),
    findUser: (id) => findUser.get(id),
    findUserByEmail: (email) => findUserByEmail.get(email),
    openConversation(clientId, lawyerId) {
      insertConversation.run(clientId, lawyerId, Date.now());
      return findConversation.get(clientId, lawyerId);
    },
    findConversationOf: (userId, conversationId) => findConversationOf.get({ conversationId, userId }),
    listLatest: (conversationId) => listLatest.all(conversationId).reverse().map(shown),
    sendMessage: (...asked) => sendMessage.immediate(...asked),
    close: () => db.close(),
  };
}
