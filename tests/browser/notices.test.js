/** Being told of messages, and the links in mails: settings, forgotten passwords, addresses, pushes that a browser decrypts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { until } from '../support/node.mjs';
import { CHOSEN, Person, launch } from './person.js';
import { PushService, Relay } from './post.js';
import { PASSWORD, Server } from './server.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const NEXT = 'une phrase assez longue';

/** @param {number} port */
const mailFlags = (port) => ['--smtp', `smtp://127.0.0.1:${port}`, '--mail-from', 'Cabinet Dupré <avis@cabinet.example>'];

/** Not every browser can be told so by the page; it was told at its start. @param {any} error */
const isStill = (error) => assert.match(String(error), /not supported|Unsupported/i);

/** axe finds nothing, in both themes, and nothing reaches out of a narrow window. @param {Person} person @param {string} what */
async function isSound(person, what) {
  const { width, height } = person.page.viewport();
  await person.page.evaluate(`if (!window.axe) { ${axe} }`);
  // What fades from one theme to the other has neither one's contrast.
  await person.page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]).catch(isStill);
  for (const theme of ['light', 'dark']) {
    await person.page.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
    for (const wide of [360, width]) {
      await person.page.setViewport({ width: wide, height });
      await person.frame();
      if (process.env.LEXCHAT_PICTURES) await person.page.screenshot({ path: `${process.env.LEXCHAT_PICTURES}/${what}-${theme}-${wide}.png`, fullPage: true });
      const found = await person.page.evaluate(async () => {
        const { violations } = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] });
        return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
      });
      assert.deepEqual(found, [], `${what} ${theme} ${wide}`);
      assert.ok(await person.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} scrolls sideways at ${wide}`);
    }
  }
  await person.page.emulateMediaFeatures([]).catch(isStill);
  await person.page.evaluate(() => { delete document.documentElement.dataset.theme; });
}

/** Puts a text in the place of what a field holds. @param {Person} person @param {string} selector @param {string} text */
async function fill(person, selector, text) {
  const field = await person.page.waitForSelector(selector);
  await field.evaluate((one) => one.select());
  await field.type(text);
}

/** Something on the page has the focus, and says this. @param {Person} person @param {string} text */
const isAt = (person, text) => person.until((wanted) => document.activeElement !== document.body && document.activeElement.textContent.includes(wanted), text);

describe('mail', { concurrency: 1, skip: !CHOSEN.includes('chromium') }, () => {
  let launched, server, relay;
  before(async () => {
    launched = await launch('chromium');
    relay = await Relay.start();
    server = await Server.start([...mailFlags(relay.port), '--push-contact', 'mailto:admin@cabinet.example', '--notify-detail', 'preview']);
  });
  after(async () => {
    await launched.close();
    await server.stop();
    relay.stop();
  });

  test('a forgotten password is replaced by a link that works once', async () => {
    const a = await Person.in(launched);
    await a.visit(`${server.url}/connexion`);
    await a.click('link', 'Mot de passe oublié ?');
    await a.until(() => location.pathname === '/mot-de-passe');
    await isSound(a, 'forgotten');
    await a.write('E-mail', 'client2@example.com');
    await a.click('button', 'Recevoir un lien');
    await a.until(() => document.querySelector('[role=status]')?.textContent.includes('client2@example.com'));
    await isAt(a, await a.page.$eval('h2', (title) => title.textContent));
    const path = await relay.link('client2@example.com', /\/mot-de-passe\/\w+/);

    await a.visit(server.url + path);
    await fill(a, 'input[type=password]', 'court');
    assert.ok(await (await a.see('button', 'Changer et me connecter')).evaluate((button) => button.disabled));
    await a.click('button', 'Voir le mot de passe');
    await fill(a, 'input[autocomplete=new-password]', 'motdepasse123');
    await isSound(a, 'password');
    await fill(a, 'input[autocomplete=new-password]', NEXT);
    await a.click('button', 'Changer et me connecter');
    await a.see('navigation', 'Conversations');
    assert.equal(await a.page.evaluate(() => location.pathname), '/');

    const late = await Person.in(launched);
    await late.visit(server.url + path);
    await fill(late, 'input[type=password]', NEXT);
    await late.click('button', 'Changer et me connecter');
    await late.until(() => document.querySelector('[role=alert]')?.textContent.includes('n’est plus valable'));
    await isAt(late, 'n’est plus valable');
    await isSound(late, 'spent');
    await late.click('link', 'Demander un autre lien');
    await late.see('button', 'Recevoir un lien');
    assert.deepEqual([...a.complaints, ...late.complaints], []);
    await late.close();
    await a.close();
    const before = await server.call('POST', '/auth/sign-in', { body: { email: 'client2@example.com', password: PASSWORD } });
    assert.equal(before.status, 401);
  });

  test('choices reach every window, and a muted conversation is marked in the list', async () => {
    await server.call('POST', '/conversations', { token: await server.tokenOf('client3'), body: { participantId: 6 } });
    const a = await Person.in(launched);
    await a.context.overridePermissions(server.url, ['notifications']);
    await a.enter(server.url, 'juriste');
    await a.visit(`${server.url}/moi`);
    const b = await a.window();
    await b.visit(`${server.url}/moi`);
    for (const one of [a, b]) await one.see('checkbox', 'Heures calmes : pas de notification');
    await a.page.bringToFront();
    await a.click('checkbox', 'Heures calmes : pas de notification');
    await a.click('button', 'samedi');
    await (await a.see('combobox', 'Par e-mail, quand des messages vous attendent')).select('1h');
    await b.until(() => [...document.querySelectorAll('select')].some((one) => one.value === '1h'));
    await b.until(() => [...document.querySelectorAll('.chip')].some((one) => one.textContent === 'samedi' && one.getAttribute('aria-pressed') === 'false'));
    await isSound(a, 'settings');

    await a.visit(server.url);
    await a.clickOn('nav .row');
    await (await a.see('combobox', 'Notifications de cette conversation')).select('8');
    await a.until(() => document.querySelector('nav .row [aria-label="En sourdine"]'));
    await a.see('combobox', 'Notifications de cette conversation');
    await isSound(a, 'muted');
    await (await a.see('combobox', 'Notifications de cette conversation')).select('');
    await a.until(() => !document.querySelector('nav .row [aria-label="En sourdine"]'));
    assert.deepEqual(a.complaints, []);
    await a.close();
  });

  test('pushes are offered after the first message, and never again once that was refused', async () => {
    const id = await server.conversation();
    const a = await Person.in(launched);
    await a.context.overridePermissions(server.url, ['notifications']);
    await a.enter(server.url, 'juriste');
    await a.openConversation(id);
    await a.see('combobox', 'Notifications de cette conversation');
    assert.equal(await a.page.$('.offer'), null, 'nothing is offered before somebody has written');
    await a.say('Bonjour');
    await a.see('button', 'Me prévenir');
    await isSound(a, 'offer');
    await a.click('button', 'Non merci');
    await a.until(() => !document.querySelector('.offer'));
    await a.page.reload({ waitUntil: 'load' });
    await a.see('combobox', 'Notifications de cette conversation');
    await a.say('Encore un mot');
    await a.fateIs('Encore un mot', 'Envoyé');
    await a.never(1_000, () => document.querySelector('.offer'));
    await a.visit(`${server.url}/moi`);
    await a.see('checkbox', 'Me prévenir sur cet appareil, même page fermée');
    assert.deepEqual(a.complaints, []);
    await a.close();
  });

  test('an administrator sends an invitation by mail, and sees what left', async () => {
    const { body: session } = await server.call('POST', '/auth/sign-in', { body: { email: 'admin@example.com', password: PASSWORD } });
    const a = await Person.in(launched);
    await a.visit(`${server.url}/connexion`);
    await a.write('E-mail', session.user.email);
    await a.page.type('input[type=password]', PASSWORD);
    await a.click('button', 'Se connecter');
    await a.see('navigation', 'Conversations');
    await a.visit(`${server.url}/admin`);
    await a.click('button', 'Inviter');
    await a.write('E-mail (facultatif)', 'nora@cabinet.example');
    await isSound(a, 'invite');
    await a.click('button', 'Créer et envoyer');
    await a.until(() => document.querySelector('dialog')?.textContent.includes('L’invitation part à nora@cabinet.example'));
    await relay.link('nora@cabinet.example', /\/invitation\/\w+/);
    const token = await server.tokenOf('admin');
    // The list is what it was when it was opened, and the relay has a mail before the server knows that.
    await until(async () => (await server.call('GET', '/admin/deliveries', { token })).body.deliveries.every((one) => one.state === 'sent'), 'all has left');
    await a.press('Escape');
    await a.click('link', 'Envois');
    await a.until(() => [...document.querySelectorAll('.table li')].some((row) => row.textContent.includes('n…@cabinet.example') && row.textContent.includes('parti')));
    await isSound(a, 'deliveries');
    await a.click('button', 'Envoyer un essai');
    await until(() => relay.mails.some(({ to }) => to === 'admin@example.com'), 'the test arrives');
    assert.deepEqual(a.complaints, []);
    await a.close();
  });

  // The last one: who is called client1 elsewhere signs in under another address afterwards.
  test('an address is confirmed, and moved, by what is mailed there', async () => {
    const a = await Person.in(launched);
    await a.enter(server.url, 'client');
    await a.visit(`${server.url}/moi`);
    await a.click('button', 'Recevoir le lien de confirmation');
    await a.visit(server.url + (await relay.link('client1@example.com', /\/confirmation\/\w+/)));
    await isSound(a, 'confirmation');
    await a.click('button', 'Confirmer mon adresse');
    await isAt(a, 'Adresse confirmée');
    await a.click('link', 'Continuer vers la messagerie');
    await a.see('navigation', 'Conversations');
    await a.visit(`${server.url}/moi`);
    await a.until(() => document.body.textContent.includes('client1@example.com est confirmée'));

    await a.click('button', 'Changer d’adresse e-mail');
    await a.write('Nouvelle adresse', 'ailleurs@cabinet.example');
    await a.page.type('form[aria-label] input[type=password]', 'autre chose');
    await a.click('button', 'Envoyer le lien');
    await a.until(() => document.querySelector('[role=alert].fault')?.textContent.includes('mot de passe actuel'));
    await fill(a, 'form[aria-label] input[autocomplete=current-password]', PASSWORD);
    await a.click('button', 'Envoyer le lien');
    await a.visit(server.url + (await relay.link('ailleurs@cabinet.example', /\/confirmation\/\w+/)));
    await a.click('button', 'Confirmer mon adresse');
    await a.until(() => document.querySelector('[role=status]')?.textContent.includes('ailleurs@cabinet.example'));
    await until(() => relay.mails.some(({ to }) => to === 'client1@example.com'), 'the address of before is told');
    assert.deepEqual(a.complaints, []);
    await a.close();
    const again = await server.call('POST', '/auth/sign-in', { body: { email: 'ailleurs@cabinet.example', password: PASSWORD } });
    assert.equal(again.status, 200);
  });
});

/** By the Tab key alone, until such an element has the focus, which shows. @param {Person} person @param {string} selector */
async function tabTo(person, selector) {
  for (let presses = 0; presses < 80; presses += 1) {
    await person.press('Tab');
    const is = await person.page.evaluate((wanted) => document.hasFocus() && document.activeElement?.matches(wanted) && getComputedStyle(document.activeElement).outlineStyle, selector);
    if (is) return assert.notEqual(is, 'none', `the focus shows on ${selector}`);
  }
  throw new Error(`${person.browserName}: no ${selector} within 80 presses of Tab`);
}

for (const name of CHOSEN) describe(`by keyboard alone in ${name}`, { concurrency: 1 }, () => {
  let launched, server, relay, service, token;
  before(async () => {
    launched = await launch(name, { extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 } });
    [relay, service] = [await Relay.start(), await PushService.start()];
    server = await Server.start([...mailFlags(relay.port), '--mail-after', '1s', '--push-contact', 'mailto:admin@cabinet.example', '--push-host', service.origin]);
    token = await server.tokenOf('juriste1');
  });
  after(async () => {
    await launched.close();
    await server.stop();
    relay.stop();
    service.stop();
  });

  const settings = async () => (await server.call('GET', '/notifications/settings', { token })).body;

  test('mail about messages is ended from the mail itself', async () => {
    await server.call('POST', '/users/me/email/confirmation', { token });
    const secret = (await relay.link('juriste1@example.com', /\/confirmation\/\w+/)).split('/').at(-1);
    assert.equal((await server.call('POST', '/auth/confirm-email', { body: { token: secret } })).status, 200);
    await server.conversation([{ by: 'client1', content: 'Bonjour' }]);
    const path = await relay.link('juriste1@example.com', /\/notifications\/unsubscribe\/\w+/);
    const a = await Person.in(launched);
    await a.visit(server.url + path);
    await isSound(a, 'unsubscribe');
    await tabTo(a, 'form button');
    assert.equal((await settings()).email, '10m', 'nothing is changed by looking at it');
    await a.press('Enter');
    await a.until(() => document.querySelector('h1')?.textContent === 'C’est fait');
    assert.equal((await settings()).email, 'never');
    await isSound(a, 'unsubscribed');
    await tabTo(a, 'a[href="/moi"]');
    assert.deepEqual(a.complaints, []);
    await a.close();
  });

  test('a device is tried and removed', async () => {
    const keys = { p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', auth: 'BTBZMqHH6r4Tts7J_aSIgg' };
    for (const device of ['Bureau', 'Portable']) {
      const body = { kind: 'webpush', endpoint: `${service.origin}/wpush/${device}`, keys, name: device };
      assert.equal((await server.call('POST', '/notifications/devices', { token, body })).status, 201);
    }
    const a = await Person.in(launched);
    await a.signIn(server, 'juriste1');
    await a.visit(`${server.url}/moi`);
    // The latest stands first.
    await a.see('button', 'Essayer Bureau');
    // What mends a lost focus is fetched after the first screen.
    await a.page.waitForSelector('[data-announcer]');
    await a.page.waitForNetworkIdle({ idleTime: 500 });
    await tabTo(a, '[aria-label="Essayer Portable"]');
    await a.press('Enter');
    await until(() => service.posts === 1, 'the push service is asked');
    assert.ok(await a.page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Essayer Portable'), 'the focus stays');
    await tabTo(a, '[aria-label="Retirer Portable"]');
    await a.press('Enter');
    await a.until(() => !document.querySelector('[aria-label="Retirer Portable"]'));
    const { body: left } = await server.call('GET', '/notifications/devices', { token });
    assert.deepEqual(left.map((one) => one.name), ['Bureau']);
    // Where one was before, so that the next key goes on from there.
    await a.until(() => document.activeElement?.closest('.section')?.querySelector('[aria-label="Retirer Bureau"]'));
    assert.deepEqual(a.complaints, []);
    await a.close();
  });
});

describe('with nothing set up', { concurrency: 1, skip: !CHOSEN.includes('chromium') }, () => {
  test('nothing is offered that would not work', async () => {
    const launched = await launch('chromium');
    const server = await Server.start();
    const a = await Person.in(launched);
    await a.visit(`${server.url}/connexion`);
    await a.until(() => document.body.textContent.includes('Demandez-en un nouveau au cabinet'));
    assert.equal(await a.page.$('a[href="/mot-de-passe"]'), null);
    await a.enter(server.url, 'client');
    await a.visit(`${server.url}/moi`);
    await a.see('checkbox', 'Me prévenir des nouveaux messages quand la page est en arrière-plan');
    const text = await a.page.evaluate(() => document.body.textContent);
    for (const absent of ['Heures calmes', 'Par e-mail', 'même page fermée', 'Changer d’adresse']) assert.ok(!text.includes(absent), absent);
    await a.close();
    await launched.close();
    await server.stop();
  });
});

describe('push', { concurrency: 1, skip: !CHOSEN.includes('firefox') }, () => {
  let launched, server, service, token;
  before(async () => {
    service = await PushService.start();
    launched = await launch('firefox', { extraPrefsFirefox: service.prefs });
    server = await Server.start(['--push-contact', 'mailto:admin@cabinet.example', '--push-host', service.origin, '--push-after', '1s']);
    token = await server.tokenOf('client1');
  });
  after(async () => {
    await launched.close();
    await server.stop();
    service.stop();
  });

  /** A client who has said something and is pushed to on this browser, and looks at no page of the chat. @returns {Promise<{a: Person, id: number}>} */
  async function awayWithPushes() {
    const id = await server.conversation();
    const a = await Person.in(launched);
    await a.enter(server.url, 'client');
    await a.isKept();
    await a.openConversation(id);
    assert.equal(await a.page.$('.offer'), null, 'nothing is offered before somebody has written');
    await a.say('Bonjour, une question');
    await a.click('button', 'Me prévenir');
    await until(() => service.channels.size === 1, 'the browser has subscribed');
    await until(async () => (await devices()).length === 1, 'the device is registered');
    await a.until(() => !document.querySelector('.offer'));
    // A page of the same origin that is not the client: nobody looks.
    await a.visit(`${server.url}/api`);
    return { a, id };
  }

  const devices = async () => (await server.call('GET', '/notifications/devices', { token })).body;

  /** What is shown by the page's worker. @param {Person} person @returns {Promise<{title: string, body: string, tag: string, kind: string}[]>} */
  const shown = (person) => person.page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, kind: data.kind }));
  });

  test('a message reaches a browser whose page is closed, and its notice goes when it is read', async () => {
    const { a, id } = await awayWithPushes();
    await server.send(await server.tokenOf('juriste1'), id, 'SECRET voici la réponse');
    await until(() => service.codes.length === 1, 'the browser has read a push');
    assert.deepEqual(service.codes, [100]);
    const [notice] = await until(async () => { const all = await shown(a); return all.length && all; }, 'the notice is shown');
    assert.equal(notice.kind, 'messages');
    assert.match(notice.tag, /^[0-9a-f]{32}$/);
    assert.ok(!JSON.stringify(notice).includes('SECRET') && notice.body === 'Vous avez un nouveau message', JSON.stringify(notice));

    await a.visit(`${server.url}/?avis=${notice.tag}`);
    await a.until((path) => location.pathname === path, `/c/${id}`);
    await a.hears('SECRET voici la réponse');
    await until(async () => (await shown(a)).length === 0, 'the notice is closed');

    await a.visit(`${server.url}/moi`);
    await a.until(() => [...document.querySelectorAll('.check')].some((one) => one.textContent.includes('même page fermée') && one.querySelector('input').checked));
    await a.clickOn('button[aria-label^="Essayer"]');
    await until(async () => (await shown(a)).some(({ kind }) => kind === 'test'), 'the test is shown');
    await a.click('button', 'Se déconnecter');
    await until(() => service.channels.size === 0, 'the browser has given up its subscription');
    await until(async () => (await devices()).length === 0, 'the server has given up the device');
    assert.deepEqual(a.complaints, []);
    await a.close();
  });

  test('a call rings in a browser whose page is closed, and what becomes of it takes the place of the ringing', async () => {
    const { a, id } = await awayWithPushes();
    const [juriste, elsewhere] = [await server.tokenOf('juriste1'), await server.tokenOf('client1')];
    const only = (kind) => until(async () => { const all = await shown(a); return all.length === 1 && all[0].kind === kind && all[0]; }, `a notice ${kind}, and no other`);
    const calls = async () => (await server.call('POST', `/conversations/${id}/calls`, { token: juriste, body: { media: 'audio' } })).body;

    const missed = await calls();
    assert.equal(missed.reachable, true);
    const rings = await only('call');
    assert.match(rings.tag, /^[0-9a-f]{32}$/);
    assert.equal(rings.body, 'Appel entrant', 'it names nobody');
    await server.call('POST', `/calls/${missed.id}/leave`, { token: juriste });
    assert.deepEqual(await only('missed-call'), { ...rings, kind: 'missed-call', body: 'Appel manqué' });

    const declined = await calls();
    assert.deepEqual(await only('call'), rings);
    await server.call('POST', `/calls/${declined.id}/decline`, { token: elsewhere });
    assert.deepEqual(await only('call-elsewhere'), { ...rings, kind: 'call-elsewhere', body: 'Refusé sur un autre appareil' });
    assert.ok(service.codes.every((code) => code === 100), 'the browser has read every push');

    await a.visit(`${server.url}/?avis=${rings.tag}`);
    await a.until((path) => location.pathname === path, `/c/${id}`);
    await until(async () => (await shown(a)).length === 0, 'the notice is closed when its conversation is read');

    await a.visit(`${server.url}/api`);
    service.takesOnlyEmpty = true;
    await server.send(juriste, id, 'SECRET');
    await until(async () => (await shown(a)).length === 1, 'a push that says nothing is shown');
    assert.deepEqual((await shown(a)).map(({ title, body }) => [title, body]), [['lexchat', 'Vous avez un nouveau message']]);
    assert.deepEqual(a.complaints, []);
    await a.close();
  });
});
