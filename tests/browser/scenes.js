/** Every screen of the page, and how one gets there: for axe and for screenshots. */
import { picture } from './picture.js';

/** What the two have said, so that screens look as they do in use. */
const TALK = [
  { by: 'client1', content: 'Bonjour Maître, j’ai reçu une lettre de mon employeur au sujet de la rupture de mon contrat.' },
  { by: 'client1', content: 'Elle parle d’une rupture conventionnelle, mais je n’ai rien demandé. Puis-je refuser ?' },
  { by: 'juriste1', content: 'Bonjour. Oui : une rupture conventionnelle suppose l’accord des deux parties. Ne signez rien pour l’instant.' },
  { by: 'juriste1', content: 'Pouvez-vous m’envoyer la lettre, et votre contrat ? Le texte de référence : https://www.legifrance.gouv.fr/codes/article_lc/LEGIARTI000019071187' },
  { by: 'client1', content: 'Je les prends en photo ce soir.\n\nFaut-il aussi :\n– les trois derniers bulletins de salaire,\n– l’avenant de 2024 ?' },
  { by: 'juriste1', content: 'Les bulletins seulement. Merci.' },
];

/** Texts that try the layout. */
const SHAPES = [
  `${'Attendu que le bail a été consenti pour neuf années entières et consécutives, et que le preneur s’est obligé. '.repeat(90)}`.slice(0, 9_990),
  'مرحبا، لقد استلمت الرسالة من صاحب العمل. هل يمكنني رفض التوقيع؟',
  'שלום, contrat n° 2024-118, תודה',
  'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz'.repeat(4),
  'Voir https://www.legifrance.gouv.fr/codes/section_lc/LEGITEXT000006072050/LEGISCTA000006189414/2024-01-01/#LEGISCTA000006189414-une-adresse-tres-longue',
  '👍',
];

/** The conversations of client1 and juriste1 that the scenes show. @param {import('./server.js').Server} server */
export async function furnish(server) {
  const id = await server.conversation(TALK);
  const tokens = { client: await server.tokenOf('client1'), juriste: await server.tokenOf('juriste1') };
  const messages = (await server.call('GET', `/messages?conversationId=${id}`, { token: tokens.client })).body;
  await server.call('PUT', `/messages/${messages[3].id}/reactions/${encodeURIComponent('👍')}`, { token: tokens.client });
  await server.call('PATCH', `/messages/${messages[1].id}`, { token: tokens.client, body: { content: `${messages[1].content} Merci d’avance.` } });
  await server.call('POST', '/messages', { token: tokens.client, body: { conversationId: id, content: 'C’est noté.', replyToId: messages[5].id } });
  for (const [participantId, content] of [[7, 'Merci pour votre retour rapide.'], [8, 'Le rendez-vous de jeudi me convient.']]) {
    const { body } = await server.call('POST', '/conversations', { token: tokens.client, body: { participantId } });
    await server.send(tokens.client, body.id, content);
  }
  for (const participantId of [2, 3]) {
    const { body } = await server.call('POST', '/conversations', { token: tokens.juriste, body: { participantId } });
    await server.send(await server.tokenOf(`client${participantId}`), body.id, participantId === 2 ? 'Bonjour, où en est mon dossier ?' : 'Voici les pièces demandées.');
  }
  const files = await Promise.all([
    server.upload(tokens.client, id, 'lettre.png', 'image/png', Buffer.from(picture(480, 320), 'base64')),
    server.upload(tokens.client, id, 'contrat-de-travail-2021-avec-ses-avenants-et-annexes.pdf', 'application/pdf', Buffer.from('%PDF-1.4\n%%EOF')),
  ]);
  await server.call('POST', '/messages', { token: tokens.client, body: { conversationId: id, content: 'Voici la lettre et le contrat.', files } });
  const shapes = (await server.call('POST', '/conversations', { token: tokens.client, body: { participantId: 9 } })).body.id;
  for (const content of SHAPES) await server.send(tokens.client, shapes, content);
  const admin = await server.tokenOf('admin');
  const invitation = new URL((await server.call('POST', '/invitations', { token: admin, body: { role: 'juriste', name: 'Nora Petit' } })).body.url).pathname;
  return { server, id, tokens, messages, shapes, invitation };
}

const opened = (person) => person.until(() => document.querySelector('[role=log] article'));
const lastRow = (person) => person.page.focus('[role=log] article:last-child');

/** Takes the connection from the page, and every way to a new one. @param {import('./person.js').Person} person */
async function cutOff(person) {
  await person.page.evaluate(() => {
    WebSocket.prototype.send = function send() { this.close(); };
    XMLHttpRequest.prototype.send = () => { throw new Error('no way out'); };
  });
  // Whatever is sent now ends the connection.
  await person.page.focus('.composer textarea');
  await person.page.keyboard.type('Je vous');
}

/**
 * `as`: who looks; `path`: where; `arrive`: until it is there.
 * @type {{name: string, as: 'nobody'|'newcomer'|'client'|'juriste'|'admin', path: (world: any) => string, arrive?: (person: any, world: any) => Promise<any>}[]}
 */
export const SCENES = [
  { name: 'sign-in', as: 'nobody', path: () => '/', arrive: (p) => p.until(() => document.querySelector('.demo-buttons')) },
  { name: 'sign-up', as: 'nobody', path: () => '/inscription', arrive: (p) => p.until(() => document.querySelectorAll('.field').length === 3) },
  { name: 'invitation', as: 'nobody', path: ({ invitation }) => invitation, arrive: (p) => p.until(() => document.querySelectorAll('.field').length === 3) },
  { name: 'invitation-gone', as: 'nobody', path: () => '/invitation/unknown', arrive: (p) => p.until(() => document.querySelector('.fault')) },
  { name: 'setup', as: 'nobody', path: () => '/installation/token', arrive: (p) => p.until(() => document.querySelectorAll('.field').length === 3) },
  { name: 'test-page', as: 'client', path: () => '/test-websocket.html', arrive: (p) => p.until(() => document.querySelector('.join')) },
  { name: 'list', as: 'juriste', path: () => '/', arrive: (p) => p.until(() => document.querySelector('.row .count')) },
  { name: 'conversation', as: 'client', path: ({ id }) => `/c/${id}`, arrive: opened },
  { name: 'conversation-juriste', as: 'juriste', path: ({ id }) => `/c/${id}`, arrive: opened },
  { name: 'shapes', as: 'client', path: ({ shapes }) => `/c/${shapes}`, arrive: opened },
  { name: 'details', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await p.page.evaluate(() => { history.replaceState({ dialog: { name: 'details' } }, ''); dispatchEvent(new PopStateEvent('popstate')); });
    await p.until(() => document.querySelector('dialog[open] .picture img')?.naturalWidth);
  } },
  { name: 'lightbox', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await p.until(() => document.querySelector('.picture img')?.naturalWidth);
    await p.page.evaluate(() => document.querySelector('.picture').click());
    await p.until(() => document.querySelector('dialog[open] img')?.naturalWidth);
  } },
  { name: 'empty', as: 'newcomer', path: () => '/', arrive: (p) => p.until(() => document.querySelector('.list-empty')) },
  { name: 'conversation-unknown', as: 'client', path: () => '/c/9999', arrive: (p) => p.until(() => document.querySelector('.empty-title')) },
  { name: 'picture', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await p.stage([{ name: 'lettre.png', type: 'image/png', base64: picture(480, 320) }, { name: 'bulletins-de-salaire.pdf', type: 'application/pdf', text: '%PDF-1.4\n%%EOF' }], 'paste');
    await p.until(() => document.querySelectorAll('.staged-file').length === 2 && !document.querySelector('.staged progress'));
    await p.paste('Voici la lettre.');
  } },
  { name: 'reply', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await lastRow(p);
    await p.press('r');
    await p.until(() => document.querySelector('.composer-about'));
  } },
  { name: 'menu', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await lastRow(p);
    await p.press('Enter');
    await p.until(() => document.querySelector('dialog[open] .menu-item'));
  } },
  { name: 'react', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await lastRow(p);
    await p.page.keyboard.type('+');
    await p.until(() => document.querySelector('dialog[open] .emoji-grid'));
  } },
  { name: 'info', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p, { messages }) => {
    await opened(p);
    await p.page.focus(`[role=log] article[data-id="${messages[1].id}"]`);
    await p.press('i');
    await p.until(() => document.querySelector('dialog[open] .revisions'));
  } },
  { name: 'remove', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await lastRow(p);
    await p.press('Delete');
    await p.until(() => document.querySelector('dialog[open] .danger'));
  } },
  { name: 'palette', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await p.press('Control', 'k');
    await p.until(() => document.querySelector('.palette-field'));
    await p.page.keyboard.type('rupture');
    await p.until(() => document.querySelector('.palette-list mark'));
  } },
  { name: 'keys', as: 'client', path: () => '/moi', arrive: async (p) => {
    await p.until(() => document.querySelector('.pane'));
    await p.page.keyboard.type('?');
    await p.until(() => document.querySelector('dialog[open] .keys'));
  } },
  { name: 'directory', as: 'juriste', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await p.page.evaluate(() => { history.replaceState({ dialog: { name: 'directory' } }, ''); dispatchEvent(new PopStateEvent('popstate')); });
    await p.until(() => document.querySelector('dialog[open] .row'));
  } },
  { name: 'search', as: 'client', path: () => '/recherche?q=rupture', arrive: (p) => p.until(() => document.querySelector('.results mark')) },
  { name: 'settings', as: 'client', path: () => '/moi', arrive: (p) => p.until(() => document.querySelector('.table li')) },
  { name: 'admin-people', as: 'admin', path: () => '/admin', arrive: (p) => p.until(() => document.querySelector('.table li')) },
  { name: 'admin-invitations', as: 'admin', path: () => '/admin?partie=invitations', arrive: (p) => p.until(() => document.querySelector('.table li')) },
  { name: 'admin-invite', as: 'admin', path: () => '/admin', arrive: async (p) => {
    await p.until(() => document.querySelector('.table li'));
    await p.page.click('.admin-tools .button');
    await p.until(() => document.querySelector('dialog[open] form'));
  } },
  { name: 'admin-status', as: 'admin', path: () => '/admin?partie=diagnostic', arrive: (p) => p.until(() => document.querySelector('.facts')) },
  { name: 'typing', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p, { server, id, tokens }) => {
    await opened(p);
    await server.types(tokens.juriste, id);
    await p.until(() => document.querySelector('.typing-line').textContent);
  } },
  { name: 'failed', as: 'client', path: ({ shapes }) => `/c/${shapes}`, arrive: async (p) => {
    await opened(p);
    await p.say('Veuillez trouver ci-dessous le texte complet du bail. '.repeat(200));
    await p.until(() => document.querySelector('.refusal'));
  } },
  { name: 'reconnecting', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await cutOff(p);
    await p.until(() => document.querySelector('.pill'));
  } },
  { name: 'offline', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await cutOff(p);
    await p.say('Je vous les envoie dès que possible.');
    await p.until(() => document.querySelector('.banner') && document.querySelector('.queued'));
  } },
  // Last: nothing can be shown to a client afterwards.
  { name: 'signed-out', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await p.page.evaluate(() => fetch('/auth/sign-out', { method: 'POST', headers: { Authorization: `Bearer ${JSON.parse(localStorage.getItem('lexchat.session.1')).accessToken}` } }));
    await p.until(() => document.querySelector('dialog[open] form'));
  } },
];

/** Signs somebody in without the form. @param {import('./person.js').Person} person @param {import('./server.js').Server} server @param {string} as @param {'fr'|'en'} locale @param {'light'|'dark'} theme */
export async function settle(person, server, as, locale, theme) {
  const account = { newcomer: 'client5', client: 'client1', juriste: 'juriste1', admin: 'admin' }[as];
  const session = account && (await server.call('POST', '/auth/sign-in', { body: { email: `${account}@example.com`, password: 'Pass123!' } })).body;
  if (session) await server.call('PATCH', '/users/me', { token: session.accessToken, body: { locale } });
  await person.visit(`${server.url}/favicon.svg`);
  await person.page.evaluate((mine, language, look) => {
    localStorage.clear();
    sessionStorage.clear();
    localStorage.setItem('lexchat.theme', look);
    localStorage.setItem('lexchat.locale', language);
    if (!mine) return;
    mine.user.locale = language;
    localStorage.setItem(`lexchat.session.${mine.user.id}`, JSON.stringify(mine));
    localStorage.setItem('lexchat.latest', JSON.stringify(mine.user.id));
  }, session ?? null, locale, theme);
}
