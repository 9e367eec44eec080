-- The conversation that the demo accounts come with, so that the first window is not empty: number 1, between client1
-- and juriste1. Its messages are dated back from the moment at which the database is made; the last one is unread.

INSERT INTO conversations (
  id, client_id, lawyer_id, rev, active_at, client_unread, lawyer_unread, client_read_id, lawyer_read_id,
  created_at, updated_at
)
SELECT 1, 1, 6, 7, now - 12 * 60000, 0, 1, 4, 5, now - 1570 * 60000, now - 12 * 60000
FROM (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now);

INSERT INTO messages (id, conversation_id, sender_id, sent_rev, rev, content, reply_to_id, created_at)
SELECT column1, 1, column2, column3, column4, column6, column7, created_at + column5 * 60000
FROM conversations, (VALUES
  (1, 1, 1, 1, 4,
   'Bonjour Madame, mon mari et moi souhaitons divorcer à l''amiable. Par quoi faut-il commencer ?', NULL),
  (2, 6, 2, 2, 41,
   'Bonjour, et merci de votre confiance. Il me faudrait d''abord votre livret de famille, puis la liste de vos biens '
   || 'communs. Avez-vous des enfants ?', NULL),
  (3, 1, 3, 3, 73,
   'Oui, deux : Louise, 9 ans, et Paul, 6 ans. Voici la couverture du livret, je vous envoie les pages ce soir.', NULL),
  (4, 6, 4, 5, 80,
   'Bien reçu. Envoyez-moi les pages ici même : chacun de vous peut les retrouver à tout moment.', 3),
  (5, 1, 6, 6, 1524,
   'Les pages sont prêtes. Pour la maison, faut-il une estimation avant notre rendez-vous ?', NULL),
  (6, 1, 7, 7, 1558,
   'Autre question : la pension alimentaire, comment se calcule-t-elle ?', NULL)
);

UPDATE conversations SET last_message_id = 6;

INSERT INTO reactions (message_id, emoji, user_id) VALUES (4, '👍', 1);

INSERT INTO read_marks (conversation_id, user_id, message_id, read_at)
SELECT 1, column1, column2, created_at + column3 * 60000
FROM conversations, (VALUES (6, 1, 38), (1, 2, 66), (6, 3, 78), (1, 4, 84), (6, 5, 1540));

INSERT INTO attachments (
  id, uploader_id, conversation_id, message_id, place, name, size, mime_type, sha256, width, height, created_at
)
SELECT
  1, 1, 1, 3, 0, 'livret-de-famille.png', 441, 'image/png',
  x'021d2569bcb6458b4e77142de94c9eb79629196325d03d24203fc016aa22794d', 150, 210, created_at
FROM messages WHERE id = 3;

INSERT INTO attachment_chunks (attachment_id, start, bytes)
VALUES (1, 0, CAST(
    x'89504e470d0a1a0a0000000d4948445200000096000000d20203000000d5a6d10b0000000c504c54456b'
    || x'1f2e521522c9a24be8d6a37f37cf91000001684944415478daedd9dd6d83301007f093fbe617afc02362'
    || x'86484cc13e96b2881f115374a40c8044cf362d6931e65f15a1509fe5082bf985037f5d44a8eb3a028ab0'
    || x'b2991e32c5fd9ae5e20913760136adcae55849639ae88e9761b2b2ca660d27c77d16726bbfcb62aeb53b'
    || x'4cfb6cac9e4f97644d1ff10e9bc33d454d31dd7f3f6eb0c6c5a31ab2cc070b675aa22659e838764d8e29'
    || x'065cb525ed328c3fd4fe347df8c226e35075e021fc369bdf55d63737d9402a36aae51e12acff6cd6f11a'
    || x'd38cafbb9eef65b9d50473549969e4aa7c3bc35c3b4d5c95cd300e749fa8e5fab05f1d976056dd1ff4e6'
    || x'aba32c33ef6446a2b1cab396a8f5af4398be11dd0c91a92fcb8eed107414a031c5660838dfd0d98bad05'
    || x'7065a1eb145cf5e01e02ee48e0fe06ee96e8de0beee4605e00b30c9ab3c00c08e653343b83b95e7e2309'
    || x'13f61fd8cf8760a7b0824641af9e309ec064920b1326ec6f6cf564f00c26a3f0faecd0ffdaf68bb052d9'
    || x'07f22513fcfd61359a0000000049454e44ae426082'
    AS BLOB));
