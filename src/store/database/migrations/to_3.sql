-- To version 3: the history has a name, and a deleted file's bytes are removed part by part; see schema.sql.
INSERT OR IGNORE INTO settings (name, value) VALUES ('history', lower(hex(randomblob(8))));

CREATE TABLE discarded_files (
  attachment_id INTEGER PRIMARY KEY
) STRICT;

-- The parts of files no longer go with their file in one stroke. Nothing on the disk changes by that, so the table is not
-- written anew, gigabytes that it may have: only its text is.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, ' REFERENCES attachments (id) ON DELETE CASCADE', '')
WHERE type = 'table'
  AND name = 'attachment_chunks';
PRAGMA writable_schema = RESET;

CREATE TRIGGER attachments_discard AFTER DELETE ON attachments
WHEN old.size > 0
BEGIN
  INSERT INTO discarded_files (attachment_id) VALUES (old.id);
END;
