/** Every screen of the page, and how one gets there: for axe and for screenshots. */
import { until } from '../support/node.mjs';
import { hasSettled } from './person.js';
import { picture } from './picture.js';
import { PRACTICE } from './practice.js';

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
  let billed;
  let shut;
  for (const participantId of [2, 3]) {
    const { body } = await server.call('POST', '/conversations', { token: tokens.juriste, body: { participantId } });
    billed ??= body.id;
    shut = body.id;
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
  await server.call('PATCH', '/admin/practice', { token: admin, body: PRACTICE });
  await server.call('PATCH', '/admin/users/3', { token: admin, body: { isActive: false } });
  const bill = await billFor(server, tokens.juriste, 2, billed);
  const invitation = new URL((await server.call('POST', '/invitations', { token: admin, body: { role: 'juriste', name: 'Nora Petit' } })).body.url).pathname;
  return { server, id, tokens, messages, shapes, invitation, billed, bill, shut };
}

/** An issued bill. @param {import('./server.js').Server} server @param {string} token @param {number} clientId @param {number} conversationId @returns {Promise<number>} */
async function billFor(server, token, clientId, conversationId) {
  const address = { line1: '3 place Bellecour', postcode: '69002', city: 'Lyon', country: 'FR' };
  await server.call('PATCH', `/users/${clientId}/billing`, { token, body: { kind: 'person', name: 'Julien Lefèvre', address } });
  const lines = [{ description: 'Rédaction de conclusions', quantity: 1500, unitPriceCents: 18_000, vatRateBp: 2000, kind: 'fee' }];
  const { body } = await server.call('POST', '/invoices', { token, body: { conversationId, lines } });
  const issued = await server.call('POST', `/invoices/${body.id}/issue`, { token });
  if (issued.status !== 200) throw new Error(`not issued: ${JSON.stringify(issued.body)}`);
  return body.id;
}

const opened = async (person) => {
  await person.until(() => document.querySelector('[role=log] article'));
  // What is pressed before would go where the focus comes from.
  await person.until(hasSettled);
};
const lastRow = (person) => person.page.focus('[role=log] article:last-child');
/** Opens a dialog as the page itself would. */
const dialog = async (person, name, data) => {
  await opened(person);
  await person.page.evaluate((which, what) => {
    history.replaceState({ dialog: { name: which, data: what } }, '');
    dispatchEvent(new PopStateEvent('popstate'));
  }, name, data);
};

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
  // The marks of light formatting are there while something is selected.
  { name: 'format', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await p.paste('Ne signez rien.');
    await p.press('Control', 'a');
    await p.until(() => document.querySelector('.format-bar button'));
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
  { name: 'export', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p, { id }) => {
    await dialog(p, 'takeOut', { conversationId: id });
    await p.until(() => document.querySelector('dialog[open] select'));
  } },
  { name: 'invite', as: 'juriste', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await dialog(p, 'invite', { roles: ['client'] });
    await p.until(() => document.querySelector('dialog[open] form'));
    await p.clickOn('dialog[open] button[type=submit]');
    await p.until(() => document.querySelector('dialog[open] input[readonly]'));
  } },
  // Not in the conversation of the others: what they leave in the composer is a draft, and theirs would be here.
  { name: 'staged-file', as: 'client', path: ({ shapes }) => `/c/${shapes}`, arrive: async (p) => {
    await opened(p);
    await p.stage([{ name: 'IMG_2031.png', type: 'image/png', base64: picture(48, 32) }, { name: 'bail.txt', type: 'text/plain', text: 'x' }]);
    await p.until(() => document.querySelectorAll('.staged-file').length === 2 && !document.querySelector('.staged progress'));
    await p.clickOn('.staged-file .icon-button');
    await p.until(() => document.querySelector('dialog[open] select'));
  } },
  { name: 'editing', as: 'client', path: ({ shapes }) => `/c/${shapes}`, arrive: async (p) => {
    await opened(p);
    await p.press('ArrowUp');
    await p.until(() => document.querySelector('.message.editing'));
  } },
  { name: 'tools', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await p.page.hover('[role=log] article:last-child .bubble');
    await p.page.waitForSelector('.tools .icon-button');
  } },
  { name: 'lost', as: 'client', path: () => '/nulle-part', arrive: (p) => p.until(() => document.querySelector('.empty-title')) },
  { name: 'share', as: 'client', path: () => '/partage', arrive: async (p, { server }) => {
    await p.page.evaluate(async () => {
      const kept = await caches.open('shared-lexchat');
      await kept.put('/partage/texte', new Response('Voici l’acte'));
    });
    await p.visit(`${server.url}/partage`);
    await p.until(() => document.querySelector('.pane .rows .row'));
  } },
  { name: 'search-narrowed', as: 'client', path: () => '/recherche?hasFile=true', arrive: (p) => p.until(() => document.querySelector('.result')) },
  { name: 'admin-account', as: 'admin', path: () => '/admin', arrive: async (p) => {
    await p.until(() => document.querySelector('.table li'));
    await p.page.evaluate(() => [...document.querySelectorAll('.table li button')].at(-1).click());
    await p.until(() => document.querySelector('dialog[open]'));
  } },
  { name: 'search', as: 'client', path: () => '/recherche?q=rupture', arrive: (p) => p.until(() => document.querySelector('.results mark')) },
  { name: 'settings', as: 'client', path: () => '/moi', arrive: (p) => p.until(() => document.querySelector('.table li')) },
  { name: 'bills', as: 'juriste', path: () => '/factures', arrive: (p) => p.until(() => document.querySelector('.bill-row')) },
  { name: 'bill-form', as: 'juriste', path: ({ billed }) => `/factures/nouvelle/${billed}`, arrive: async (p) => {
    await p.until(() => document.querySelector('.bill-line'));
    await p.clickOn('.bill-form > .bill-ways .primary');
    await p.until(() => document.querySelector('.bill-line .field-fault'));
  } },
  { name: 'bill-credit', as: 'juriste', path: ({ bill }) => `/factures/${bill}`, arrive: async (p) => {
    await p.until(() => document.querySelector('.bill-said'));
    await p.page.evaluate(() => [...document.querySelectorAll('.bill-ways .button')].at(-1).click());
    await p.until(() => document.querySelector('dialog[open] textarea'));
  } },
  { name: 'admin-practice', as: 'admin', path: () => '/admin?partie=cabinet', arrive: (p) => p.until(() => document.querySelector('.facts')) },
  { name: 'admin-people', as: 'admin', path: () => '/admin', arrive: (p) => p.until(() => document.querySelector('.table li')) },
  { name: 'admin-invitations', as: 'admin', path: () => '/admin?partie=invitations', arrive: (p) => p.until(() => document.querySelector('.table li')) },
  { name: 'admin-invite', as: 'admin', path: () => '/admin', arrive: async (p) => {
    await p.until(() => document.querySelector('.table li'));
    await p.clickOn('.admin-tools .button');
    await p.until(() => document.querySelector('dialog[open] form'));
  } },
  { name: 'admin-status', as: 'admin', path: () => '/admin?partie=diagnostic', arrive: (p) => p.until(() => document.querySelector('.facts')) },
  { name: 'closed', as: 'juriste', path: ({ shut }) => `/c/${shut}`, arrive: (p) => p.until(() => document.querySelector('.closed')) },
  { name: 'typing', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p, { server, id, tokens }) => {
    await opened(p);
    // It is said once, to who has joined the conversation by then.
    await until(async () => {
      await server.types(tokens.juriste, id);
      return p.page.waitForFunction(() => document.querySelector('.typing-line').textContent, { timeout: 2_000, polling: 50 }).catch(() => null);
    }, 'the line that says who writes');
  } },
  { name: 'failed', as: 'client', path: ({ shapes }) => `/c/${shapes}`, arrive: async (p, { shapes }) => {
    await opened(p);
    await p.leaveRefused(shapes);
    await p.until(() => document.querySelector('.refusal'));
  } },
  { name: 'reconnecting', as: 'client', path: ({ id }) => `/c/${id}`, arrive: async (p) => {
    await opened(p);
    await cutOff(p);
    await p.until(() => document.querySelector('.pill, .banner'));
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
  await person.visit(`${server.url}/favicon.svg`);
  await person.page.evaluate((language, look) => {
    localStorage.clear();
    sessionStorage.clear();
    localStorage.setItem('lexchat.theme', look);
    localStorage.setItem('lexchat.locale', language);
  }, locale, theme);
  if (!account) return;
  const { accessToken: token } = await person.signIn(server, account, { locale });
  await server.call('PATCH', '/users/me', { token, body: { locale } });
}
