-- To version 6: the index holds initials among their neighbours and the digits of every script, and all terms of a message
-- in one column. It is built anew from the messages, step by step, when the database is opened
-- (`store::fulltext::complete`). What a rush left in free pages is overwritten first: afterwards there may be many.
INSERT INTO attachment_chunks (attachment_id, start, bytes)
SELECT -1, 0, zeroblob((freelist_count + 1) * 4092) FROM pragma_freelist_count WHERE freelist_count <= 2048;
DELETE FROM attachment_chunks WHERE attachment_id = -1;

DROP TABLE message_words;
DROP VIEW searchable_messages;

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

CREATE VIRTUAL TABLE message_words USING fts5 (
  terms,
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
