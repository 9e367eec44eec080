-- Beside what people write there are entries of the server, for calls and invoices.
ALTER TABLE messages ADD COLUMN
  kind TEXT NOT NULL DEFAULT 'text' CHECK (kind = 'text' OR kind IN ('call', 'invoice'));
ALTER TABLE messages ADD COLUMN
  counts_unread INTEGER NOT NULL DEFAULT 1 CHECK (counts_unread = 1 OR (counts_unread = 0 AND kind <> 'text'));
ALTER TABLE messages ADD COLUMN
  state TEXT CHECK ((kind = 'text') = (state IS NULL));

-- To version 5: the index holds folded words and the names of files; it is built anew from the messages, step by step,
-- when the database is opened (`store::fulltext::complete`).
DROP TABLE message_words;
DROP VIEW searchable_messages;

CREATE VIEW searchable_messages (id, words, members) AS
SELECT m.id,
  search_text(
    m.content,
    CASE WHEN f.id IS NOT NULL
      THEN (SELECT group_concat(a.name, '/' ORDER BY a.place) FROM attachments a WHERE a.message_id = m.id)
    END
  ),
  'u' || c.client_id || ' u' || c.lawyer_id || CASE WHEN f.id IS NULL THEN '' ELSE ' f' END
    || ' ' || char(983040 + (m.id >> 15) % 65536)
FROM messages m
JOIN conversations c ON c.id = m.conversation_id
LEFT JOIN attachments f ON f.message_id = m.id AND f.place = 0
WHERE (m.content <> '' OR f.id IS NOT NULL)
  AND m.kind = 'text'
  AND m.id <= (SELECT message_id FROM indexing);

CREATE VIRTUAL TABLE message_words USING fts5 (
  words,
  members,
  content = 'searchable_messages',
  content_rowid = 'id',
  columnsize = 0,
  prefix = '2 3',
  tokenize = 'ascii'
);

INSERT INTO message_words (message_words, rank) VALUES ('automerge', 0);
INSERT INTO message_words (message_words, rank) VALUES ('usermerge', 8);
INSERT INTO message_words (message_words, rank) VALUES ('crisismerge', 1900);
INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', 1);

UPDATE indexing SET message_id = 0;

-- Marking as unread: a member's own view of how far they have read.
ALTER TABLE conversations ADD COLUMN client_shown_id INTEGER;
ALTER TABLE conversations ADD COLUMN lawyer_shown_id INTEGER;
ALTER TABLE conversations ADD COLUMN client_shown_unread INTEGER NOT NULL DEFAULT 0 CHECK (client_shown_unread >= 0);
ALTER TABLE conversations ADD COLUMN lawyer_shown_unread INTEGER NOT NULL DEFAULT 0 CHECK (lawyer_shown_unread >= 0);

-- Addresses that were stored as they were typed are looked for in their one spelling. Where two accounts would have the
-- same, the other one keeps its own.
UPDATE OR IGNORE users SET email = email_spelling(email) WHERE email <> email_spelling(email);

-- Notices: what people chose, their devices, up to where they were told; the keys of pushes.
ALTER TABLE users ADD COLUMN email_confirmed_at INTEGER;
ALTER TABLE users ADD COLUMN email_failed_at INTEGER;
ALTER TABLE users ADD COLUMN unsubscribe_token TEXT;
CREATE UNIQUE INDEX users_by_unsubscribe ON users (unsubscribe_token) WHERE unsubscribe_token IS NOT NULL;
ALTER TABLE invitations ADD COLUMN mailed_at INTEGER;
ALTER TABLE conversations ADD COLUMN client_muted_until_at INTEGER;
ALTER TABLE conversations ADD COLUMN lawyer_muted_until_at INTEGER;

CREATE TABLE more_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  purpose TEXT NOT NULL UNIQUE CHECK (purpose IN ('token', 'link', 'refresh', 'vapid', 'notice')),
  secret BLOB NOT NULL CHECK (length(secret) >= 32),
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO more_keys SELECT id, purpose, secret, created_at FROM keys;
DROP TABLE keys;
ALTER TABLE more_keys RENAME TO keys;
CREATE TABLE notice_settings (
  user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  push INTEGER NOT NULL CHECK (push IN (0, 1)),
  email TEXT NOT NULL CHECK (email IN ('never', '10m', '1h', 'daily')),
  detail TEXT NOT NULL CHECK (detail IN ('none', 'sender', 'preview')),
  time_zone TEXT,
  quiet_from INTEGER CHECK (quiet_from BETWEEN 0 AND 1439),
  quiet_to INTEGER CHECK (quiet_to BETWEEN 0 AND 1439),
  quiet_days INTEGER CHECK (quiet_days BETWEEN 1 AND 127),
  calls_in_quiet_hours INTEGER NOT NULL CHECK (calls_in_quiet_hours IN (0, 1)),
  CHECK ((quiet_from IS NULL) = (quiet_to IS NULL) AND (quiet_from IS NULL) = (quiet_days IS NULL))
) STRICT;
CREATE TABLE devices (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_id INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
  kind TEXT NOT NULL CHECK (kind IN ('webpush', 'fcm')),
  address TEXT UNIQUE,
  public_key TEXT,
  auth TEXT,
  name TEXT,
  created_at INTEGER NOT NULL,
  registered_at INTEGER NOT NULL,
  used_at INTEGER,
  tested_at INTEGER,
  gone_at INTEGER,
  CHECK ((address IS NULL) = (gone_at IS NOT NULL)),
  CHECK (kind = 'fcm' OR address IS NULL OR (public_key IS NOT NULL AND auth IS NOT NULL))
) STRICT;
CREATE INDEX devices_by_user ON devices (user_id, session_id);
CREATE INDEX devices_by_session ON devices (session_id) WHERE session_id IS NOT NULL;
CREATE TABLE notice_marks (
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  channel TEXT NOT NULL CHECK (channel IN ('push', 'email')),
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE RESTRICT,
  marked_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, conversation_id, channel)
) STRICT, WITHOUT ROWID;

-- Billing: the practice, invoices with their documents and numbers, money, and what Stripe is asked and tells.
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

-- Mail with secret links, and what is to leave.
CREATE TABLE more_throttles (
  kind TEXT NOT NULL CHECK (kind IN ('account', 'familiar', 'address', 'sign_up', 'forgotten')),
  key TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 0),
  since_at INTEGER NOT NULL,
  blocked_until_at INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
INSERT INTO more_throttles SELECT kind, key, count, since_at, blocked_until_at FROM sign_in_throttles;
DROP TABLE sign_in_throttles;
ALTER TABLE more_throttles RENAME TO sign_in_throttles;
CREATE INDEX sign_in_throttles_by_end ON sign_in_throttles (blocked_until_at);
CREATE TABLE mail_tokens (
  hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  purpose TEXT NOT NULL CHECK (purpose IN ('password', 'email')),
  email TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_tokens_by_user ON mail_tokens (user_id, purpose, created_at);
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL CHECK (channel IN ('email', 'webpush', 'fcm')),
  kind TEXT NOT NULL CHECK (kind IN (
    'messages', 'read', 'call', 'test', 'invitation', 'password', 'address', 'address_changed', 'address_taken',
    'new_device'
  )),
  user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
  device_id INTEGER REFERENCES devices (id) ON DELETE CASCADE,
  address TEXT,
  conversation_id INTEGER REFERENCES conversations (id) ON DELETE CASCADE,
  message_id INTEGER REFERENCES messages (id) ON DELETE RESTRICT,
  call_id INTEGER REFERENCES calls (id) ON DELETE CASCADE,
  secret TEXT,
  locale TEXT NOT NULL CHECK (locale IN ('fr', 'en')),
  reference TEXT NOT NULL DEFAULT (lower(hex(randomblob(12)))),
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  due_at INTEGER NOT NULL,
  leased_until_at INTEGER,
  is_renewed INTEGER NOT NULL DEFAULT 0 CHECK (is_renewed IN (0, 1)),
  was_accepted INTEGER NOT NULL DEFAULT 0 CHECK (was_accepted IN (0, 1)),
  expires_at INTEGER NOT NULL,
  reason TEXT,
  created_at INTEGER NOT NULL,
  done_at INTEGER,
  CHECK ((state = 'waiting') = (done_at IS NULL)),
  CHECK (channel = 'email' OR device_id IS NOT NULL),
  CHECK (channel <> 'email' OR address IS NOT NULL)
) STRICT;
CREATE INDEX outbox_due ON outbox (channel, kind IN ('messages', 'read'), due_at) WHERE state = 'waiting';
CREATE UNIQUE INDEX outbox_by_device ON outbox (device_id, conversation_id, kind)
  WHERE state = 'waiting' AND conversation_id IS NOT NULL;
CREATE INDEX outbox_mails ON outbox (user_id, created_at) WHERE channel = 'email' AND kind = 'messages';
CREATE INDEX outbox_of_device ON outbox (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX outbox_of_call ON outbox (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX outbox_shown ON outbox (user_id, conversation_id) WHERE channel = 'fcm' AND kind = 'messages' AND state = 'sent';
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;

-- Calls.
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
  -- Whether a device of the callee was there when it began to ring.
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

-- A file may come in several requests: its whole size is known before its bytes.
ALTER TABLE attachments ADD COLUMN announced_size INTEGER CHECK (announced_size >= size);

-- A file may be what was recorded of a call: it is nobody's upload, counts for nobody's space and goes by its own rules.
ALTER TABLE attachments ADD COLUMN is_recording INTEGER NOT NULL DEFAULT 0 CHECK (is_recording IN (0, 1));

-- Recordings of calls.
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
