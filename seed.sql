-- The demo accounts of a fresh database, in the order of their ids: clients 1-5, juristes 6-10, the administrator 11.
-- Everybody knows their password; a server that others can reach refuses to start while it still works. Hashed
-- ahead of time (argon2id, m=19456, t=2, p=1, a salt each), so that the first start need not.

INSERT INTO users (id, name, email, password_hash, role, specialty, is_demo, created_at, updated_at)
SELECT
  column1,
  column2,
  column3,
  column4,
  column5,
  column6,
  1,
  CAST(unixepoch('subsec') * 1000 AS INTEGER),
  CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM (VALUES
  (1, 'Camille Moreau', 'client1@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$HX/GAnWRg2RLBHSb/tMY7w$yNUHETXGdeEfomt/6WH29sbuwEeInjUIEeHZ22KavTI',
   'client', NULL),
  (2, 'Julien Lefèvre', 'client2@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$GqLsBJfefFuxNuOSMohUNg$L0Z1tqPOwmJYlgWvGa59K35Nx9bE8lT0pOej8wFvzt4',
   'client', NULL),
  (3, 'Inès Benali', 'client3@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$8AmtANdceAv6Dxfd8UjkQA$I4KUxiMiCRAYTFzm4F0vOSP1OIEg453v9w92g0zBorw',
   'client', NULL),
  (4, 'Mathieu Garnier', 'client4@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$UP66nsRm7hzozPv/ikF90w$gBLix8L6iwoI4IWUOYyvTInbcJQcUWa38KcinexjnGQ',
   'client', NULL),
  (5, 'Élodie Marchand', 'client5@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$zjX2dcqsy3c5h08uRTExLg$Kr9YzJmNSfuzl1qray5RGMdyy/hio3W5E8QFWT6eXek',
   'client', NULL),
  (6, 'Hélène Rousseau', 'juriste1@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$njLblbZqhw2oxnrrZhChMw$eqtSRF3+NvQz6GBj2EsfR4CB3Yz3tfjr+26Br7LG7R8',
   'juriste', 'Droit de la famille'),
  (7, 'Antoine Mercier', 'juriste2@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$YhOH/Z1292EQhsTM18UNIQ$WN44fQIWoDzk9AXYNMXCKB29SQ/ookaX1LXjh2lUuQo',
   'juriste', 'Droit du travail'),
  (8, 'Nadia Haddad', 'juriste3@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$SAsXSnixYsOyWx6G79drQw$HtVHPm6FU2l5FbgNAB63/m2J51QEnLdlj37Ij8UCM3U',
   'juriste', 'Droit immobilier'),
  (9, 'François Delaunay', 'juriste4@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$Uk6pC7ilsmdv8TJex7X5ag$UBRi1H02Mmb0sCDI7VyynaSKWWs8O39iQ6Dg9pzgpDY',
   'juriste', 'Droit des sociétés'),
  (10, 'Sophie Le Gall', 'juriste5@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$9MIHDcfD/p4CGBytFhOy7A$sTFuNCvaqJ9IGUdJspjmvMHeIIK6e1LEBQV1DGFZTnQ',
   'juriste', 'Droit pénal'),
  (11, 'Claire Fontaine', 'admin@example.com',
   '$argon2id$v=19$m=19456,t=2,p=1$vVlaPS2qVZpocHygjmk3og$bxFgX8AjX2X40rjq5yFNR9j0vOXYrLPxyuzWdDhpx7g',
   'admin', NULL)
);
