-- Takes the demo conversation away and keeps the people: what most tests begin with.
UPDATE conversations SET last_message_id = NULL;
UPDATE messages SET reply_to_id = NULL;
DELETE FROM reactions;
DELETE FROM read_marks;
DELETE FROM attachments;
DELETE FROM attachment_chunks;
DELETE FROM discarded_files;
DELETE FROM messages;
DELETE FROM conversations;
DELETE FROM sqlite_sequence WHERE name IN ('reactions', 'attachments');
INSERT INTO message_words (message_words) VALUES ('delete-all');
UPDATE indexing SET message_id = 0;
