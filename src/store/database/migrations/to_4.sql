-- To version 4: a nonce for each session, one key for each purpose, strangers, new accounts per address; see schema.sql.
ALTER TABLE users ADD COLUMN is_stranger INTEGER NOT NULL DEFAULT 0 CHECK (is_stranger IN (0, 1));
ALTER TABLE sessions ADD COLUMN nonce BLOB CHECK (length(nonce) = 16);

CREATE TABLE keys_next (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  purpose TEXT NOT NULL UNIQUE CHECK (purpose IN ('token', 'link', 'refresh')),
  secret BLOB NOT NULL CHECK (length(secret) >= 32),
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO keys_next (id, purpose, secret, created_at)
SELECT id, purpose, secret, created_at FROM keys WHERE retires_at IS NULL;
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'keys') WHERE name = 'keys_next';
DROP TABLE keys;
ALTER TABLE keys_next RENAME TO keys;

CREATE TABLE sign_in_throttles_next (
  kind TEXT NOT NULL CHECK (kind IN ('account', 'familiar', 'address', 'sign_up')),
  key TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 0),
  since_at INTEGER NOT NULL,
  blocked_until_at INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
INSERT INTO sign_in_throttles_next SELECT * FROM sign_in_throttles;
DROP TABLE sign_in_throttles;
ALTER TABLE sign_in_throttles_next RENAME TO sign_in_throttles;
CREATE INDEX sign_in_throttles_by_end ON sign_in_throttles (blocked_until_at);
