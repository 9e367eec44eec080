-- The schema of version 1 as it was, for the test that walks it to the current one. It never changes.
-- Times are integer milliseconds since 1970 (UTC), in columns named …_at.
-- Order never depends on a time: ids and revs decide.

-- A row is a person who has, or had, an account. Rows stay for ever: what somebody said keeps its author.
CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  -- Trimmed and lower case, as it is looked for.
  email TEXT NOT NULL UNIQUE CHECK (email = lower(email)),
  -- An argon2id PHC string.
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('client', 'juriste', 'admin')),
  -- A juriste's field of law.
  specialty TEXT,
  locale TEXT NOT NULL DEFAULT 'fr' CHECK (locale IN ('fr', 'en')),
  -- 0: disabled; may not sign in, and has no live session.
  is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  -- 1: made by seed.sql with the password that everybody knows, and not changed since.
  is_demo INTEGER NOT NULL DEFAULT 0 CHECK (is_demo IN (0, 1)),
  last_sign_in_at INTEGER,
  -- When the last socket left; NULL before the first one came.
  last_seen_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- The directory: the active people of one role, by name.
CREATE INDEX users_by_role ON users (role, is_active, name);

-- Whether somebody may still sign in with the password that everybody knows; empty where nobody may.
CREATE INDEX users_demo ON users (id) WHERE is_demo = 1 AND is_active = 1;

-- A row is one signed-in device. An access token names it and works only while it is live: not ended and not past
-- expires_at. AUTOINCREMENT: the number of a session that is gone never means another one.
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- What the device's program calls itself, and where it was last seen.
  user_agent TEXT,
  address TEXT,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Both or none.
  ended_at INTEGER,
  end_reason TEXT CHECK (end_reason IN ('signed_out', 'revoked', 'password_changed', 'disabled', 'token_reused')),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;

-- Somebody's devices, and ending all of them.
CREATE INDEX sessions_by_user ON sessions (user_id, ended_at);

-- A row is a refresh token that was given out, known by its SHA-256 only. It stays after use for as long as it
-- would have lived: seeing it again then ends the session.
CREATE TABLE refresh_tokens (
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- When it was traded for the next one; NULL while it works.
  used_at INTEGER
) STRICT, WITHOUT ROWID;

-- Removing a session's tokens with it.
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- A row counts what went wrong, or was tried, at sign-in lately. It outlives a restart; success or time removes it.
CREATE TABLE sign_in_throttles (
  -- 'account': failures for an account; 'familiar': failures for an account from an address where it was signed in to
  -- before, so that strangers elsewhere cannot lock its owner out; 'address': all attempts from an address.
  kind TEXT NOT NULL CHECK (kind IN ('account', 'familiar', 'address')),
  -- What is counted. Accounts stand here as a SHA-256 of the e-mail that was tried, whether or not there is one:
  -- people type other secrets into that field.
  key TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 0),
  -- When counting began.
  since_at INTEGER NOT NULL,
  -- No attempt is looked at before this.
  blocked_until_at INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

-- Forgetting the throttles that are over.
CREATE INDEX sign_in_throttles_by_end ON sign_in_throttles (blocked_until_at);

-- A row is an invitation to open an account: single use, known by the SHA-256 of its secret only.
CREATE TABLE invitations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  inviter_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('client', 'juriste', 'admin')),
  -- What the inviter already knows of the guest.
  name TEXT,
  email TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Set when it was used, with the account that it opened.
  accepted_at INTEGER,
  accepted_by INTEGER REFERENCES users (id) ON DELETE SET NULL,
  revoked_at INTEGER
) STRICT;

-- Somebody's invitations, the latest first.
CREATE INDEX invitations_by_inviter ON invitations (inviter_id, id);

-- A row is a one-time link that opens the first administrator's account, known by its SHA-256 only.
CREATE TABLE setup_tokens (
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT, WITHOUT ROWID;

-- A row is a secret of this installation, made once at random: signing keys, newest first in use; older ones still
-- verify until they are retired.
CREATE TABLE keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- What it is for: 'token' signs access tokens, 'link' signs addresses of files.
  purpose TEXT NOT NULL CHECK (purpose IN ('token', 'link')),
  secret BLOB NOT NULL CHECK (length(secret) >= 32),
  created_at INTEGER NOT NULL,
  -- When it stops verifying; NULL for the one in use.
  retires_at INTEGER
) STRICT;

-- The key in use for a purpose: there is one.
CREATE UNIQUE INDEX keys_in_use ON keys (purpose) WHERE retires_at IS NULL;

-- A row is a fact about this installation that is kept across starts.
CREATE TABLE settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A row is the one conversation between a client and a juriste. What changes with every message is here, so that a
-- list of conversations is one read. Its members never change.
CREATE TABLE conversations (
  id INTEGER PRIMARY KEY,
  client_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  lawyer_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  -- The number of the latest change; the next one takes rev + 1. There are no gaps.
  rev INTEGER NOT NULL DEFAULT 0 CHECK (rev >= 0),
  last_message_id INTEGER REFERENCES messages (id) ON DELETE RESTRICT,
  -- When somebody last said something or, before that, when it was opened.
  active_at INTEGER NOT NULL,
  -- Messages of the other party, not deleted, beyond one's own read mark.
  client_unread INTEGER NOT NULL DEFAULT 0 CHECK (client_unread >= 0),
  lawyer_unread INTEGER NOT NULL DEFAULT 0 CHECK (lawyer_unread >= 0),
  -- The latest of each one's read_marks; 0 before the first.
  client_read_id INTEGER NOT NULL DEFAULT 0,
  lawyer_read_id INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK (client_id <> lawyer_id)
) STRICT;

-- Finding the conversation of two people, and a client's conversations.
CREATE UNIQUE INDEX conversations_by_client ON conversations (client_id, lawyer_id);

-- A juriste's conversations.
CREATE INDEX conversations_by_lawyer ON conversations (lawyer_id, client_id);

-- A row is a message, or the tombstone of one: then its text is empty, and nothing else of it is left anywhere.
-- Rows are never removed, so an id never means another message.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE RESTRICT,
  sender_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  -- The number of the change that made it. Rises with id within a conversation, so it is also the place in it.
  sent_rev INTEGER NOT NULL,
  -- The number of its latest change: sending, editing, deleting or a reaction.
  rev INTEGER NOT NULL CHECK (rev >= sent_rev),
  content TEXT NOT NULL CHECK (length(content) <= 10000),
  -- Addresses elsewhere that the sender gave: a JSON array of texts, NULL for none. Stored files: see attachments.
  links TEXT,
  reply_to_id INTEGER REFERENCES messages (id) ON DELETE RESTRICT,
  -- The sender's own id for it.
  client_message_id TEXT CHECK (length(client_message_id) BETWEEN 1 AND 64),
  -- What that id was first sent with (the head of a SHA-256), to tell a repetition from a contradiction. NULL
  -- without that id and once deleted.
  body_digest BLOB,
  created_at INTEGER NOT NULL,
  edited_at INTEGER,
  deleted_at INTEGER
) STRICT;

-- A page of a conversation; the changes of it that are new messages. A place is taken once.
CREATE UNIQUE INDEX messages_by_place ON messages (conversation_id, sent_rev);

-- The changes of a conversation that are not new messages.
CREATE UNIQUE INDEX messages_changed ON messages (conversation_id, rev) WHERE rev > sent_rev;

-- A sender's message by the sender's own id: one for ever.
CREATE UNIQUE INDEX messages_by_client_id ON messages (sender_id, client_message_id) WHERE client_message_id IS NOT NULL;

-- A row is a text that a message had before an edit. All of a message's rows go when it is deleted.
CREATE TABLE message_revisions (
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  -- 1, 2, 3 … in the order of the edits.
  number INTEGER NOT NULL CHECK (number >= 1),
  content TEXT NOT NULL,
  -- Since when it was the message's text.
  written_at INTEGER NOT NULL,
  PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;

-- A row is one person's emoji under a message. Ids rise in the order of use.
CREATE TABLE reactions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  emoji TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT;

-- A message's reactions; one emoji counts once per person.
CREATE UNIQUE INDEX reactions_by_message ON reactions (message_id, emoji, user_id);

-- A row says: at this moment this person had read the conversation up to this message. Marks only move forward;
-- the earlier ones stay, because they tell when each message was read.
CREATE TABLE read_marks (
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE RESTRICT,
  read_at INTEGER NOT NULL,
  PRIMARY KEY (conversation_id, user_id, message_id)
) STRICT, WITHOUT ROWID;

-- A row is a file, or one that is still arriving. Its bytes are in attachment_chunks.
CREATE TABLE attachments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uploader_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  -- Whose members may see it.
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE RESTRICT,
  -- The message that it goes with; NULL until one takes it. It is removed when none has within a day, and with
  -- its message.
  message_id INTEGER REFERENCES messages (id) ON DELETE RESTRICT,
  -- Its place among the message's files: 0, 1, 2 …
  place INTEGER,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  -- Bytes that have arrived.
  size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
  -- The next four are NULL until it is complete; width and height also for what is no image.
  mime_type TEXT,
  sha256 BLOB CHECK (length(sha256) = 32),
  width INTEGER,
  height INTEGER,
  created_at INTEGER NOT NULL,
  CHECK ((mime_type IS NULL) = (sha256 IS NULL)),
  CHECK (message_id IS NULL OR sha256 IS NOT NULL)
) STRICT;

-- The files of a message.
CREATE UNIQUE INDEX attachments_by_message ON attachments (message_id, place) WHERE message_id IS NOT NULL;

-- Files that no message has taken, the oldest first.
CREATE INDEX attachments_loose ON attachments (created_at) WHERE message_id IS NULL;

-- How many bytes somebody stores.
CREATE INDEX attachments_by_uploader ON attachments (uploader_id, size);

-- A row is a part of a file. Parts follow each other without gaps.
CREATE TABLE attachment_chunks (
  attachment_id INTEGER NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
  -- Where in the file its first byte stands: the sum of the sizes before it.
  start INTEGER NOT NULL CHECK (start >= 0),
  bytes BLOB NOT NULL CHECK (length(bytes) > 0)
) STRICT;

-- A range of a file.
CREATE UNIQUE INDEX attachment_chunks_by_start ON attachment_chunks (attachment_id, start);

-- The one row says how far the index of words has come: it holds the texts of all messages up to this one. Writing
-- many texts into it at once is far cheaper than writing each with its message.
CREATE TABLE indexing (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  message_id INTEGER NOT NULL
) STRICT;

INSERT INTO indexing (id, message_id) VALUES (1, 0);

-- What a search reads for a message: its text, and who may find it. Tombstones and mere files have no row here, nor
-- has a message that is not indexed yet.
CREATE VIEW searchable_messages (id, content, members) AS
SELECT m.id, m.content, 'u' || c.client_id || ' u' || c.lawyer_id
FROM messages m
JOIN conversations c ON c.id = m.conversation_id
WHERE m.content <> ''
  AND m.id <= (SELECT message_id FROM indexing);

-- The words of the messages. `members` holds one word for each member of the conversation, so that looking for one's
-- own messages is part of the look-up and not a filter over everybody's. Row ids are message ids.
CREATE VIRTUAL TABLE message_words USING fts5 (
  content,
  members,
  content = 'searchable_messages',
  content_rowid = 'id',
  columnsize = 0,
  prefix = '2 3',
  tokenize = 'unicode61 remove_diacritics 2'
);

-- The index grows by a piece per thousand messages; eight of a size are merged into one. Fewer would be written over
-- again more often, more would have to be looked through by each search.
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 8);

-- A deleted text leaves the index at once, not when its part of it happens to be merged.
INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', 1);
