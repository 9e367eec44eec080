-- The whole current schema of a lexchat database. A fresh database is exactly this file; an older one is walked
-- here by src/store/database/migrations/. Times are integer milliseconds since 1970 (UTC), in columns named …_at.
-- Order never depends on a time: ids and revs decide.

-- A row is a person who has, or had, an account. Rows stay for ever: a message keeps its author.
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
  updated_at INTEGER NOT NULL,
  -- 1: signed up uninvited, and no juriste has answered yet.
  is_stranger INTEGER NOT NULL DEFAULT 0 CHECK (is_stranger IN (0, 1)),
  -- When it was shown that they read what is mailed to the address; before that they get only mail that they asked for.
  email_confirmed_at INTEGER,
  -- When a relay said that there is nobody at the address; NULL again once it is confirmed.
  email_failed_at INTEGER,
  -- What ends mail about messages by one press, whoever presses: random, made with the first such mail.
  unsubscribe_token TEXT
) STRICT;

-- Whose mail such a press ends.
CREATE UNIQUE INDEX users_by_unsubscribe ON users (unsubscribe_token) WHERE unsubscribe_token IS NOT NULL;

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
  -- Random; the session's access tokens carry it too. NULL: none works until they are renewed.
  nonce BLOB CHECK (length(nonce) = 16),
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
  -- before, so that strangers elsewhere cannot lock its owner out; 'address': all attempts from an address;
  -- 'sign_up': new accounts from an address; 'forgotten': forgotten passwords from an address.
  kind TEXT NOT NULL CHECK (kind IN ('account', 'familiar', 'address', 'sign_up', 'forgotten')),
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
  revoked_at INTEGER,
  -- When it was given to the post; whoever accepts it under that address reads what is mailed there.
  mailed_at INTEGER
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

-- A row is a secret of this installation, made at random: one for each purpose. A new one takes the place of the one
-- before. AUTOINCREMENT: a number that was used never names another key.
CREATE TABLE keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- What it is for: 'token' signs access tokens, 'link' signs addresses of files, 'refresh' derives the successors of
  -- refresh tokens; 'vapid' (PKCS #8) signs pushes and 'notice' tags them. The last two are never replaced: browsers are
  -- subscribed for the one, and know what they show by the other.
  purpose TEXT NOT NULL UNIQUE CHECK (purpose IN ('token', 'link', 'refresh', 'vapid', 'notice')),
  secret BLOB NOT NULL CHECK (length(secret) >= 32),
  created_at INTEGER NOT NULL
) STRICT;

-- A row is a fact about this installation that is kept across starts.
CREATE TABLE settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The name of this history: numbers and revs mean something in it alone. Every copy of the database gets another one, so
-- that nobody takes what comes after a restore for what they knew before.
INSERT INTO settings (name, value) VALUES ('history', lower(hex(randomblob(8))));

-- A row is the one conversation between a client and a juriste. What changes with every message is here, so that a
-- list of conversations is one read. Its members never change.
CREATE TABLE conversations (
  id INTEGER PRIMARY KEY,
  client_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  lawyer_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  -- The number of the latest change; the next one takes rev + 1. There are no gaps.
  rev INTEGER NOT NULL DEFAULT 0 CHECK (rev >= 0),
  last_message_id INTEGER REFERENCES messages (id) ON DELETE RESTRICT,
  -- When the last message was sent or, before the first, when the conversation was opened.
  active_at INTEGER NOT NULL,
  -- Messages of the other party, not deleted, beyond one's own read mark.
  client_unread INTEGER NOT NULL DEFAULT 0 CHECK (client_unread >= 0),
  lawyer_unread INTEGER NOT NULL DEFAULT 0 CHECK (lawyer_unread >= 0),
  -- The latest of each one's read_marks; 0 before the first.
  client_read_id INTEGER NOT NULL DEFAULT 0,
  lawyer_read_id INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- The shown mark of a member who marked messages as unread: how far they have read in their own eyes, 0 for nothing.
  -- It stands before the read mark; NULL while it is the same. Nobody else is shown it.
  client_shown_id INTEGER,
  lawyer_shown_id INTEGER,
  -- Messages of the other party, not deleted, between one's shown mark and one's read mark: in one's own eyes these are
  -- unread as well.
  client_shown_unread INTEGER NOT NULL DEFAULT 0 CHECK (client_shown_unread >= 0),
  lawyer_shown_unread INTEGER NOT NULL DEFAULT 0 CHECK (lawyer_shown_unread >= 0),
  -- Until when each one wants no notice of it; NULL: not muted.
  client_muted_until_at INTEGER,
  lawyer_muted_until_at INTEGER,
  CHECK (client_id <> lawyer_id)
) STRICT;

-- Finding the conversation of two people, and a client's conversations.
CREATE UNIQUE INDEX conversations_by_client ON conversations (client_id, lawyer_id);

-- A juriste's conversations.
CREATE INDEX conversations_by_lawyer ON conversations (lawyer_id, client_id);

-- A row is a message, or the tombstone of one: then its text is empty, and nothing else of it is left in any table. Its
-- bytes leave the database file at once, those of its files within seconds, and the WAL when it is next emptied.
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
  -- What that id was first sent with (the head of a SHA-256), to know a repetition from a contradiction. NULL
  -- without that id and once deleted.
  body_digest BLOB,
  created_at INTEGER NOT NULL,
  edited_at INTEGER,
  deleted_at INTEGER,
  -- 'text' is what a person wrote; the others are entries that the server writes. Compared by itself: for a list of three
  -- SQLite builds a table each time that a message is stored.
  kind TEXT NOT NULL DEFAULT 'text' CHECK (kind = 'text' OR kind IN ('call', 'invoice')),
  -- Whether the recipient has it among the unread ones until it is read. A person's text always counts.
  counts_unread INTEGER NOT NULL DEFAULT 1 CHECK (counts_unread = 1 OR (counts_unread = 0 AND kind <> 'text')),
  -- What the members see of the call or the invoice, as an object in JSON: written anew with each change of it, so that
  -- a page of messages is read without a look at other tables.
  state TEXT CHECK ((kind = 'text') = (state IS NULL))
) STRICT;

-- A page of a conversation; the changes of it that are new messages. A place is taken once.
CREATE UNIQUE INDEX messages_by_place ON messages (conversation_id, sent_rev);

-- The changes of a conversation that are not new messages.
CREATE UNIQUE INDEX messages_changed ON messages (conversation_id, rev) WHERE rev > sent_rev;

-- A sender's message by the sender's own id: one for ever. The id comes first: those that begin with the time then follow
-- each other whoever sends them, and a batch writes a page or two of this and not one for each sender.
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_message_id, sender_id) WHERE client_message_id IS NOT NULL;

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
-- the earlier ones stay, because they say when each message was read.
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
  -- Bytes that will have arrived when it is complete, where it comes in several requests; NULL otherwise.
  announced_size INTEGER CHECK (announced_size >= size),
  -- Whether it is what was recorded of a call: nobody's upload, and of nobody's space.
  is_recording INTEGER NOT NULL DEFAULT 0 CHECK (is_recording IN (0, 1)),
  CHECK ((mime_type IS NULL) = (sha256 IS NULL)),
  CHECK (message_id IS NULL OR sha256 IS NOT NULL)
) STRICT;

-- The files of a message.
CREATE UNIQUE INDEX attachments_by_message ON attachments (message_id, place) WHERE message_id IS NOT NULL;

-- Files that no message has taken, the oldest first.
CREATE INDEX attachments_loose ON attachments (created_at) WHERE message_id IS NULL;

-- How many bytes somebody stores.
CREATE INDEX attachments_by_uploader ON attachments (uploader_id, size);

-- A row is a part of a file. Parts follow each other without gaps. They may outlive their file for a moment: see
-- discarded_files.
CREATE TABLE attachment_chunks (
  attachment_id INTEGER NOT NULL,
  -- Where in the file its first byte stands: the sum of the sizes before it.
  start INTEGER NOT NULL CHECK (start >= 0),
  bytes BLOB NOT NULL CHECK (length(bytes) > 0)
) STRICT;

-- A range of a file.
CREATE UNIQUE INDEX attachment_chunks_by_start ON attachment_chunks (attachment_id, start);

-- A row is a file that was deleted and whose parts are still to be overwritten and removed: some at a time, because
-- overwriting a large file at once would keep everybody waiting and make the WAL longer than it may be.
CREATE TABLE discarded_files (
  attachment_id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER attachments_discard AFTER DELETE ON attachments
WHEN old.size > 0
BEGIN
  INSERT INTO discarded_files (attachment_id) VALUES (old.id);
END;

-- A row is what somebody chose about notices. Who has none has the defaults.
CREATE TABLE notice_settings (
  user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  push INTEGER NOT NULL CHECK (push IN (0, 1)),
  email TEXT NOT NULL CHECK (email IN ('never', '10m', '1h', 'daily')),
  detail TEXT NOT NULL CHECK (detail IN ('none', 'sender', 'preview')),
  -- A name of the IANA database; NULL: the practice's.
  time_zone TEXT,
  -- Minutes since midnight, and the days on which the quiet begins, Monday as the lowest of seven bits. All or none.
  quiet_from INTEGER CHECK (quiet_from BETWEEN 0 AND 1439),
  quiet_to INTEGER CHECK (quiet_to BETWEEN 0 AND 1439),
  quiet_days INTEGER CHECK (quiet_days BETWEEN 1 AND 127),
  calls_in_quiet_hours INTEGER NOT NULL CHECK (calls_in_quiet_hours IN (0, 1)),
  CHECK ((quiet_from IS NULL) = (quiet_to IS NULL) AND (quiet_from IS NULL) = (quiet_days IS NULL))
) STRICT;

-- A row is a browser or an app to which notices go. It belongs to who registered it last, and to the session in which
-- that was.
CREATE TABLE devices (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- NULL once the session is over by its age alone.
  session_id INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
  kind TEXT NOT NULL CHECK (kind IN ('webpush', 'fcm')),
  -- The browser's endpoint or the app's registration: a secret of the device. NULL once its service has said that the
  -- device is gone, which its owner is then shown.
  address TEXT UNIQUE,
  -- What a browser's pushes are encrypted with.
  public_key TEXT,
  auth TEXT,
  name TEXT,
  created_at INTEGER NOT NULL,
  registered_at INTEGER NOT NULL,
  -- When a push for it was last accepted.
  used_at INTEGER,
  -- When its owner last asked for a test.
  tested_at INTEGER,
  gone_at INTEGER,
  CHECK ((address IS NULL) = (gone_at IS NOT NULL)),
  CHECK (kind = 'fcm' OR address IS NULL OR (public_key IS NOT NULL AND auth IS NOT NULL))
) STRICT;

-- Somebody's devices; those of a session that ends.
CREATE INDEX devices_by_user ON devices (user_id, session_id);

-- A session's devices, when its row goes.
CREATE INDEX devices_by_session ON devices (session_id) WHERE session_id IS NOT NULL;

-- A row says: of this conversation this person has been told, by push or by e-mail, up to this message, or need not be.
-- What is unread and beyond it is what a notice is still due for.
CREATE TABLE notice_marks (
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  channel TEXT NOT NULL CHECK (channel IN ('push', 'email')),
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE RESTRICT,
  marked_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, conversation_id, channel)
) STRICT, WITHOUT ROWID;

-- A row is a link that was mailed to somebody and proves that they read it: single use, known by the SHA-256 of its secret
-- only. It stays for an hour at least, to count how many were asked for.
CREATE TABLE mail_tokens (
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- 'password' sets another one; 'email' confirms the address, or moves the account to it.
  purpose TEXT NOT NULL CHECK (purpose IN ('password', 'email')),
  -- The address that it was mailed to.
  email TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Set when it was used, or when a later one took its place.
  used_at INTEGER
) STRICT, WITHOUT ROWID;

-- How many somebody was sent lately; the one that works.
CREATE INDEX mail_tokens_by_user ON mail_tokens (user_id, purpose, created_at);

-- A row is a mail or a push that is to leave, has left, or could not. It is written with what causes it. What it says about
-- messages is read when it leaves, so that nothing of them stands here.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL CHECK (channel IN ('email', 'webpush', 'fcm')),
  kind TEXT NOT NULL CHECK (kind IN (
    'messages', 'read', 'call', 'test', 'invitation', 'password', 'address', 'address_changed', 'address_taken',
    'new_device'
  )),
  -- For whom; NULL for a guest.
  user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
  device_id INTEGER REFERENCES devices (id) ON DELETE CASCADE,
  -- Where a mail goes.
  address TEXT,
  -- What a push is about: this conversation, up to this message, or this call.
  conversation_id INTEGER REFERENCES conversations (id) ON DELETE CASCADE,
  message_id INTEGER REFERENCES messages (id) ON DELETE RESTRICT,
  -- Until what the devices show of it is final.
  call_id INTEGER REFERENCES calls (id) ON DELETE CASCADE,
  -- The secret of the link in a mail. It is erased once the mail has left or cannot any more.
  secret TEXT,
  locale TEXT NOT NULL CHECK (locale IN ('fr', 'en')),
  -- Random: the same at every try, by which a mail that arrives twice can be recognised.
  reference TEXT NOT NULL DEFAULT (lower(hex(randomblob(12)))),
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  -- Not before this moment.
  due_at INTEGER NOT NULL,
  -- Set while somebody is at it; another one may take it after that.
  leased_until_at INTEGER,
  -- Set when something newer came while somebody was at it: it leaves once more.
  is_renewed INTEGER NOT NULL DEFAULT 0 CHECK (is_renewed IN (0, 1)),
  -- Whether its service has taken it before, so that the device may show what it said then.
  was_accepted INTEGER NOT NULL DEFAULT 0 CHECK (was_accepted IN (0, 1)),
  -- From then on it is worth nothing any more.
  expires_at INTEGER NOT NULL,
  -- What was answered last, or why it was dropped.
  reason TEXT,
  created_at INTEGER NOT NULL,
  done_at INTEGER,
  CHECK ((state = 'waiting') = (done_at IS NULL)),
  CHECK (channel = 'email' OR device_id IS NOT NULL),
  CHECK (channel <> 'email' OR address IS NOT NULL)
) STRICT;

-- What is due on a channel. What is about messages comes in crowds, and leaves behind what somebody waits for.
CREATE INDEX outbox_due ON outbox (channel, kind IN ('messages', 'read'), due_at) WHERE state = 'waiting';

-- What waits for a device about a conversation: something newer of its kind takes its place.
CREATE UNIQUE INDEX outbox_by_device ON outbox (device_id, conversation_id, kind)
  WHERE state = 'waiting' AND conversation_id IS NOT NULL;

-- When somebody was last mailed about messages.
CREATE INDEX outbox_mails ON outbox (user_id, created_at) WHERE channel = 'email' AND kind = 'messages';

-- Removing a device's rows with it.
CREATE INDEX outbox_of_device ON outbox (device_id) WHERE device_id IS NOT NULL;

-- What the devices of who was called show of a call.
CREATE INDEX outbox_of_call ON outbox (call_id) WHERE call_id IS NOT NULL;

-- What apps show of a conversation, until it is read.
CREATE INDEX outbox_shown ON outbox (user_id, conversation_id) WHERE channel = 'fcm' AND kind = 'messages' AND state = 'sent';

-- What is over, the oldest first.
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;

-- The one row says how far the full-text index has come: it holds the texts of all messages up to this one. Writing
-- many texts into it at once is far cheaper than writing each with its message.
CREATE TABLE indexing (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  message_id INTEGER NOT NULL
) STRICT;

INSERT INTO indexing (id, message_id) VALUES (1, 0);

-- What a search finds a message by: who may find it, whether it has a file, in which range of ids it is, and the words of its
-- text and of its files' names, folded; all by the program's own function `index_terms`. Tombstones and the server's entries
-- have no row here, nor has a message that is not indexed yet. Without the function (in other programs) this view can't be read.
-- A file is only looked for where one can be: most messages are newer than the last one with a file when they are indexed.
CREATE VIEW searchable_messages (id, terms) AS
SELECT m.id,
  index_terms(
    m.id,
    m.content,
    CASE WHEN f.id IS NOT NULL
      THEN (SELECT group_concat(a.name, '/' ORDER BY a.place) FROM attachments a WHERE a.message_id = m.id)
    END,
    c.client_id,
    c.lawyer_id
  )
FROM messages m
JOIN conversations c ON c.id = m.conversation_id
LEFT JOIN attachments f
  ON f.message_id = CASE WHEN m.id <= (SELECT max(message_id) FROM attachments WHERE message_id IS NOT NULL) THEN m.id END
  AND f.place = 0
WHERE (m.content <> '' OR f.id IS NOT NULL)
  AND m.kind = 'text'
  AND m.id <= (SELECT message_id FROM indexing);

-- The full-text index: the terms of the messages, folded before they come here, so that the tokenizer only splits at
-- spaces. One of them is a member of the conversation, so that looking for one's own messages is part of the look-up and not a
-- filter over everybody's. Row ids are message ids.
CREATE VIRTUAL TABLE message_words USING fts5 (
  terms,
  content = 'searchable_messages',
  content_rowid = 'id',
  columnsize = 0,
  prefix = '2 3',
  tokenize = 'ascii'
);

-- The full-text index grows by a segment each time that it is brought up to date. FTS5 does not merge segments by
-- itself; the program merges them where there is time, eight of a size and more into one (sixteen while a rush lasts):
-- fewer would be written again more often, more would have to be looked through by each search. Nineteen hundred are
-- merged at once, whatever it takes: FTS5 holds two thousand at most.
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 0);
INSERT INTO message_words (message_words, rank) VALUES ('usermerge', 8);
INSERT INTO message_words (message_words, rank) VALUES ('crisismerge', 1900);

-- A deleted text leaves the index at once, not when its part of it happens to be merged.
INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', 1);

-- The one row is the practice as it is now; every invoice keeps its own copy. Without a row nothing can be issued.
CREATE TABLE practice (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- JSON, as `GET /admin/practice` shows it: any field may still be missing. The logo stands beside it.
  data TEXT NOT NULL,
  logo_type TEXT CHECK (logo_type IN ('image/png', 'image/jpeg')),
  logo BLOB CHECK (length(logo) <= 262144),
  -- 1: made with the demo accounts; what it issues is a specimen.
  is_demo INTEGER NOT NULL DEFAULT 0 CHECK (is_demo IN (0, 1)),
  updated_at INTEGER NOT NULL,
  CHECK ((logo_type IS NULL) = (logo IS NULL))
) STRICT;

-- A row is how somebody wants to be billed: JSON, as `GET /users/{id}/billing` shows it.
CREATE TABLE buyers (
  user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  data TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- A row is a draft, an invoice or a credit note. Once issued, what is printed on it never changes and the row stays; only
-- what became of it does.
CREATE TABLE invoices (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE RESTRICT,
  -- Who issues it, and who is asked to pay.
  lawyer_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  client_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  type TEXT NOT NULL CHECK (type IN ('standard', 'deposit', 'credit')),
  -- What was typed, as JSON; NULL for a credit note.
  draft TEXT,
  -- The rest is NULL, or zero, until it is issued. Days are those of the practice's zone: YYYY-MM-DD.
  number TEXT UNIQUE,
  issued_on TEXT,
  due_on TEXT,
  -- Everything that is printed, as JSON: both parties as they were, the logo's bytes, lines, sums.
  content TEXT,
  -- How it is printed: a later version of the program draws it the same way.
  template INTEGER,
  -- 1: outside every series.
  is_specimen INTEGER NOT NULL DEFAULT 0 CHECK (is_specimen IN (0, 1)),
  -- Of a credit note: the invoice that it takes back.
  origin_id INTEGER REFERENCES invoices (id) ON DELETE RESTRICT,
  net_cents INTEGER NOT NULL DEFAULT 0,
  vat_cents INTEGER NOT NULL DEFAULT 0,
  prepaid_cents INTEGER NOT NULL DEFAULT 0,
  -- What became of it. The sums are those of the credit notes and of `payments`, kept with each of them.
  credited_cents INTEGER NOT NULL DEFAULT 0 CHECK (credited_cents <= net_cents + vat_cents),
  received_cents INTEGER NOT NULL DEFAULT 0,
  paid_cents INTEGER NOT NULL DEFAULT 0,
  is_in_process INTEGER NOT NULL DEFAULT 0 CHECK (is_in_process IN (0, 1)),
  is_disputed INTEGER NOT NULL DEFAULT 0 CHECK (is_disputed IN (0, 1)),
  -- Of a deposit: the final invoice that deducts it.
  deducted_by INTEGER REFERENCES invoices (id) ON DELETE RESTRICT,
  reminded_on TEXT,
  -- 1: the original goes by an approved platform, and the document here is its copy.
  goes_by_platform INTEGER NOT NULL DEFAULT 0 CHECK (goes_by_platform IN (0, 1)),
  -- JSON: by which approved platform the original went.
  transmitted TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((number IS NULL) = (content IS NULL)),
  CHECK ((number IS NULL) = (issued_on IS NULL)),
  CHECK ((type = 'credit') = (origin_id IS NOT NULL))
) STRICT;

-- A conversation's invoices, the latest first.
CREATE INDEX invoices_by_conversation ON invoices (conversation_id, id);

-- Somebody's invoices, the latest first.
CREATE INDEX invoices_by_lawyer ON invoices (lawyer_id, id);
CREATE INDEX invoices_by_client ON invoices (client_id, id);

-- An invoice's credit notes.
CREATE INDEX invoices_by_origin ON invoices (origin_id) WHERE origin_id IS NOT NULL;

-- A final invoice's deposits.
CREATE INDEX invoices_deducted ON invoices (deducted_by) WHERE deducted_by IS NOT NULL;

-- What an export holds, in the order of issue.
CREATE INDEX invoices_by_day ON invoices (issued_on, id) WHERE issued_on IS NOT NULL;

-- What still has to go by an approved platform, the oldest first.
CREATE INDEX invoices_to_transmit ON invoices (issued_on, id) WHERE goes_by_platform = 1 AND transmitted IS NULL;

CREATE TRIGGER invoices_are_frozen BEFORE UPDATE OF
  conversation_id, lawyer_id, client_id, type, draft, number, issued_on, due_on, content, template, is_specimen, origin_id,
  net_cents, vat_cents, prepaid_cents, goes_by_platform
ON invoices WHEN old.number IS NOT NULL
BEGIN
  SELECT raise(ABORT, 'an issued invoice never changes');
END;

CREATE TRIGGER invoices_stay BEFORE DELETE ON invoices
WHEN old.number IS NOT NULL AND old.is_specimen = 0
BEGIN
  SELECT raise(ABORT, 'an issued invoice stays');
END;

-- A row is a message that shows an invoice: when it was issued, and each reminder.
CREATE TABLE invoice_entries (
  message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE RESTRICT,
  invoice_id INTEGER NOT NULL REFERENCES invoices (id) ON DELETE CASCADE
) STRICT;

-- An invoice's messages.
CREATE INDEX invoice_entries_by_invoice ON invoice_entries (invoice_id);

-- A row says what a credit note takes back of one line of the invoice: its place, from 1, and the amount without VAT.
CREATE TABLE credit_lines (
  credit_id INTEGER NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
  line INTEGER NOT NULL CHECK (line >= 1),
  net_cents INTEGER NOT NULL CHECK (net_cents >= 0),
  PRIMARY KEY (credit_id, line)
) STRICT, WITHOUT ROWID;

-- A row is the document of an issued invoice, made once behind the commit: these bytes are served for ever.
CREATE TABLE invoice_documents (
  invoice_id INTEGER PRIMARY KEY REFERENCES invoices (id) ON DELETE CASCADE,
  pdf BLOB NOT NULL CHECK (length(pdf) > 0),
  xml BLOB NOT NULL,
  -- Of the PDF.
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  created_at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER invoice_documents_are_frozen BEFORE UPDATE ON invoice_documents
BEGIN
  SELECT raise(ABORT, 'a document never changes');
END;

-- A row is a series of numbers: 'F' invoices and 'A' credit notes, by year; 'DEMO' specimens, in the year 0.
CREATE TABLE invoice_series (
  name TEXT NOT NULL CHECK (name IN ('F', 'A', 'DEMO')),
  year INTEGER NOT NULL,
  -- The latest number, and its day.
  latest INTEGER NOT NULL CHECK (latest >= 1),
  latest_on TEXT NOT NULL,
  PRIMARY KEY (name, year)
) STRICT, WITHOUT ROWID;

-- A row is a number that left the house and that a restored copy no longer knows.
CREATE TABLE lost_numbers (
  number TEXT NOT NULL PRIMARY KEY,
  noted_on TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A row is money that moved: in, or (below zero) back. Rows are never changed; a reversal is a row of its own.
CREATE TABLE payments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  invoice_id INTEGER NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
  method TEXT NOT NULL CHECK (method IN ('transfer', 'cheque', 'cash', 'card', 'sepa_debit', 'other')),
  amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0),
  -- The day that it moved: YYYY-MM-DD.
  paid_on TEXT NOT NULL,
  reference TEXT,
  -- What this row takes back, once.
  reverses_id INTEGER UNIQUE REFERENCES payments (id) ON DELETE CASCADE,
  reason TEXT,
  -- Stripe's id of the payment or of the refund: each is booked once.
  stripe_id TEXT UNIQUE,
  -- Who noted it; NULL: Stripe told.
  noted_by INTEGER REFERENCES users (id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- An invoice's money.
CREATE INDEX payments_by_invoice ON payments (invoice_id);

-- The money of a span of days.
CREATE INDEX payments_by_day ON payments (paid_on, id);

-- A row is a payment page at Stripe. It is stored with its key before anything is sent, so that a crash makes no second one.
CREATE TABLE checkout_sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  invoice_id INTEGER NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
  -- `client_reference_id`: random.
  reference TEXT NOT NULL UNIQUE,
  create_key TEXT NOT NULL UNIQUE,
  expire_key TEXT NOT NULL UNIQUE,
  amount_cents INTEGER NOT NULL CHECK (amount_cents >= 50),
  -- Seconds since 1970, as Stripe was or will be told.
  expires_s INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('creating', 'open', 'in_process', 'paid', 'expired', 'failed')),
  -- 1: it is to be expired, because what is to be paid has changed.
  is_unwanted INTEGER NOT NULL DEFAULT 0 CHECK (is_unwanted IN (0, 1)),
  stripe_id TEXT UNIQUE,
  url TEXT,
  payment_intent TEXT UNIQUE,
  failure TEXT,
  checks INTEGER NOT NULL DEFAULT 0,
  -- When Stripe is to be asked next.
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- What Stripe is to be asked now.
CREATE INDEX checkout_sessions_due ON checkout_sessions (due_at) WHERE state IN ('creating', 'open', 'in_process');

-- An invoice's payment pages.
CREATE INDEX checkout_sessions_by_invoice ON checkout_sessions (invoice_id);

-- A row is money to be given back by Stripe, stored with its key before anything is sent.
CREATE TABLE refunds (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  invoice_id INTEGER NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
  credit_id INTEGER REFERENCES invoices (id) ON DELETE CASCADE,
  payment_intent TEXT NOT NULL,
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  create_key TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('requested', 'pending', 'succeeded', 'failed')),
  stripe_id TEXT UNIQUE,
  failure TEXT,
  checks INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- What Stripe is to be asked now.
CREATE INDEX refunds_due ON refunds (due_at) WHERE state IN ('requested', 'pending');

-- An invoice's refunds.
CREATE INDEX refunds_by_invoice ON refunds (invoice_id);

-- A row is money that a payer's bank asks back, as Stripe told when it was asked. What is lost moves in `payments`.
CREATE TABLE disputes (
  stripe_id TEXT NOT NULL PRIMARY KEY,
  invoice_id INTEGER NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
  payment_intent TEXT NOT NULL,
  amount_cents INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- When Stripe was asked: seconds since 1970.
  asked_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- An invoice's disputes.
CREATE INDEX disputes_by_invoice ON disputes (invoice_id);

-- A row is an event that Stripe told, once however often it is told. What it names is asked for again at Stripe.
CREATE TABLE stripe_events (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  -- The event as it came; NULL once it has taken effect.
  body TEXT,
  -- What it came to: 'waiting', 'done', 'foreign' (another history's), 'unknown'.
  outcome TEXT NOT NULL CHECK (outcome IN ('waiting', 'done', 'foreign', 'unknown')),
  checks INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events that wait.
CREATE INDEX stripe_events_due ON stripe_events (due_at) WHERE outcome = 'waiting';

-- Events of other histories, the latest first.
CREATE INDEX stripe_events_by_time ON stripe_events (created_s);

-- The history that bills are issued in: in a restored copy the two differ, and billing is on hold until an administrator
-- has said what left the house.
INSERT INTO settings (name, value)
SELECT 'billing_history', value
FROM settings
WHERE name = 'history';

-- A row is a call, answered or not. How long each of its states may last is measured by the server's monotonic clock and
-- never stored: a restart ends what rings and gives the others their time anew.
CREATE TABLE calls (
  -- AUTOINCREMENT: the number of a call never means another one.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE RESTRICT,
  -- Its entry in the conversation; NULL while it is live.
  message_id INTEGER UNIQUE REFERENCES messages (id) ON DELETE RESTRICT,
  media TEXT NOT NULL CHECK (media IN ('audio', 'video')),
  provider TEXT NOT NULL CHECK (provider IN ('direct', 'jitsi')),
  -- The random bits that name its room at the Jitsi server.
  room BLOB CHECK (room IS NULL OR (length(room) = 16 AND provider = 'jitsi')),
  state TEXT NOT NULL
    CHECK (state IN ('ringing', 'ongoing', 'ended', 'declined', 'missed', 'cancelled', 'busy')),
  -- Whether the callee had a page open, or a device that pushes reach, when it began to ring.
  reachable INTEGER NOT NULL CHECK (reachable IN (0, 1)),
  started_by INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  started_at INTEGER NOT NULL,
  answered_at INTEGER,
  ended_at INTEGER,
  end_reason TEXT CHECK (end_reason IN ('hung_up', 'timeout', 'quiet', 'busy', 'lost', 'too_long', 'restart'))
) STRICT;

-- What goes on; a conversation has one live call at most.
CREATE UNIQUE INDEX calls_live ON calls (conversation_id) WHERE state IN ('ringing', 'ongoing');

-- The calls of a conversation, the latest first.
CREATE INDEX calls_by_conversation ON calls (conversation_id, id);

-- How often somebody has started one lately.
CREATE INDEX calls_by_starter ON calls (started_by, started_at);

-- A row is somebody who took a seat in a call.
CREATE TABLE call_participants (
  call_id INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  -- The window or device that they sit at: a random name that it chose. NULL for one that has no socket.
  seat TEXT CHECK (length(seat) BETWEEN 1 AND 64),
  joined_at INTEGER NOT NULL,
  left_at INTEGER,
  PRIMARY KEY (call_id, user_id)
) STRICT, WITHOUT ROWID;

-- A row is what became of recording a call: one question at a time, one file at most.
CREATE TABLE call_recordings (
  call_id INTEGER PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('off', 'asked', 'on', 'stored', 'refused', 'deleted')),
  -- How often it was asked; the last time by whom, on which device (which records), and when.
  question INTEGER NOT NULL,
  asked_by INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  session_id INTEGER NOT NULL,
  asked_at INTEGER NOT NULL,
  -- Whether Jibri or 8x8 records, and not that device.
  by_service INTEGER NOT NULL CHECK (by_service IN (0, 1)),
  -- For how long the question said that it is kept.
  keep_s INTEGER NOT NULL,
  -- What has come; it is complete once it was made to seek.
  attachment_id INTEGER UNIQUE REFERENCES attachments (id) ON DELETE SET NULL,
  -- The id of the recording at the service, so that it is stored once.
  service_id TEXT,
  kept_until INTEGER,
  deleted_by INTEGER REFERENCES users (id) ON DELETE RESTRICT,
  deleted_at INTEGER,
  CHECK ((state = 'deleted') = (deleted_at IS NOT NULL))
) STRICT;

-- What runs, or waits for an answer.
CREATE INDEX call_recordings_open ON call_recordings (call_id) WHERE state IN ('asked', 'on');

-- What is kept, the earliest end first.
CREATE INDEX call_recordings_kept ON call_recordings (kept_until) WHERE state = 'stored';

-- A row is somebody's answer to a question whether a call may be recorded. All answers stay, also those taken back.
CREATE TABLE recording_consents (
  id INTEGER PRIMARY KEY,
  call_id INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
  question INTEGER NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  answer INTEGER NOT NULL CHECK (answer IN (0, 1)),
  -- What the question said: the number of its wording, and for how long the recording is kept.
  wording INTEGER NOT NULL,
  keep_s INTEGER NOT NULL,
  answered_at INTEGER NOT NULL
) STRICT;

-- The answers to a call's questions, the latest last.
CREATE INDEX recording_consents_by_call ON recording_consents (call_id, question, id);

-- A row is a part of a recording that has come, by which a repeated one is known. They go once the file is complete.
CREATE TABLE recording_parts (
  call_id INTEGER NOT NULL REFERENCES call_recordings (call_id) ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number >= 0),
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;

-- A row is a recording that 8x8 told of. Its address is forgotten once it was fetched, or is not there any more.
CREATE TABLE waiting_recordings (
  -- The same however often it is told.
  event_id TEXT PRIMARY KEY,
  service_id TEXT NOT NULL UNIQUE,
  -- The bits that name the room of its call.
  room BLOB NOT NULL CHECK (length(room) = 16),
  -- Who has it has the recording.
  link TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  told_at INTEGER NOT NULL
) STRICT;

-- What is to be fetched.
CREATE INDEX waiting_recordings_due ON waiting_recordings (due_at) WHERE link IS NOT NULL;

-- A row is a recording that a service made and that not everybody in the call had agreed to. It was deleted.
CREATE TABLE refused_recordings (
  service_id TEXT PRIMARY KEY,
  call_id INTEGER REFERENCES calls (id) ON DELETE SET NULL,
  came_at INTEGER NOT NULL
) STRICT;

-- The call of a room.
CREATE UNIQUE INDEX calls_by_room ON calls (room) WHERE room IS NOT NULL;
