-- A call of the demo conversation that has ended and was recorded.
INSERT INTO messages (id, conversation_id, sender_id, sent_rev, rev, content, created_at, kind, counts_unread, state)
SELECT (SELECT max(id) + 1 FROM messages), c.id, c.lawyer_id, c.rev + 1, c.rev + 1, 'Appel audio, 7 s', 1000, 'call', 0,
  '{"id":1,"recording":{"state":"stored","attachmentId":1000}}'
FROM conversations c
WHERE c.id = 1;
UPDATE conversations SET rev = rev + 1, last_message_id = (SELECT max(id) FROM messages) WHERE id = 1;
INSERT INTO calls (id, conversation_id, message_id, media, provider, state, reachable, started_by, started_at)
SELECT 1, 1, max(id), 'audio', 'direct', 'ended', 1, 6, 1000 FROM messages;
INSERT INTO attachments (id, uploader_id, conversation_id, message_id, place, name, size, mime_type, sha256, created_at,
  is_recording)
SELECT 1000, 6, 1, max(id), 0, 'a.webm', 26, 'video/webm',
  x'2295281cc7f67519138a87a9610c8bb311ff2e84f9fc0742f66cbdc27a917221', 1000, 1
FROM messages;
INSERT INTO attachment_chunks (attachment_id, start, bytes) VALUES (1000, 0, CAST('what was said and recorded' AS BLOB));
INSERT INTO call_recordings (call_id, state, question, asked_by, session_id, asked_at, by_service, keep_s, attachment_id,
  kept_until)
VALUES (1, 'stored', 1, 6, 1, 1000, 0, 86400, 1000, 90000000);
