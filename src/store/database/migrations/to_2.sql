-- To version 2: the sender's own id comes first in its index; see schema.sql.
DROP INDEX messages_by_client_id;
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_message_id, sender_id) WHERE client_message_id IS NOT NULL;

-- Pieces of the index of words are merged where there is time for it; see schema.sql.
INSERT INTO message_words (message_words, rank) VALUES ('automerge', 0);
INSERT INTO message_words (message_words, rank) VALUES ('usermerge', 8);
INSERT INTO message_words (message_words, rank) VALUES ('crisismerge', 1000);
