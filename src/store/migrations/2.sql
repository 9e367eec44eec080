-- To version 2: the sender's own id comes first in its index; see schema.sql.
DROP INDEX messages_by_client_id;
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_message_id, sender_id) WHERE client_message_id IS NOT NULL;
