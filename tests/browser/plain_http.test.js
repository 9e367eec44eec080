/** A practice whose network is encrypted below: the page comes over plain HTTP, under a name that is not this machine's. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CHOSEN, Person, launch } from './person.js';
import { Server } from './server.js';

const HOST = 'chat.cabinet.test';
const PASSWORD = 'une phrase assez longue';
/** The name leads to this machine. */
const NAMED = { args: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`], extraPrefsFirefox: { 'network.dns.localDomains': HOST, 'dom.security.https_first': false } };

/** A server under the name, and the sessions of a juriste and of a client whom the juriste has invited. */
async function practice() {
  const server = await Server.start(['--no-demo']);
  const [, link] = await server.prints(/setup\s+(\S+)\s/);
  const taken = async (path, invitation, name) => {
    const body = { token: new URL(invitation).pathname.split('/').at(-1), name, email: `${name.toLowerCase()}@example.org`, password: PASSWORD };
    const { status, body: session } = await server.call('POST', path, { body });
    assert.equal(status, 201, JSON.stringify(session));
    return session;
  };
  const invited = async ({ accessToken: token }, role, name) => {
    const { body } = await server.call('POST', '/invitations', { token, body: { role } });
    return taken('/auth/accept-invitation', body.url, name);
  };
  const admin = await taken('/auth/setup', link, 'Claire');
  const juriste = await invited(admin, 'juriste', 'Helene');
  const client = await invited(juriste, 'client', 'Camille');
  await server.kill();
  const url = `http://${HOST}:${server.port}`;
  server.flags = ['--no-demo', '--public-url', url, '--insecure-http'];
  await server.resume();
  return { server, url, juriste, client };
}

for (const name of CHOSEN) {
  describe(`${name} over plain HTTP under another name`, { concurrency: 1 }, () => {
    let launched, here;
    before(async () => {
      launched = await launch(name, NAMED);
      here = await practice();
    });
    after(async () => {
      await launched.close();
      await here.server.stop();
    });

    test('two people write, attach, answer and copy, and nothing fails without a word', async () => {
      const { url } = here;
      const entered = async (email) => {
        const person = await Person.in(launched);
        await person.visit(url);
        await person.write('E-mail', email);
        await person.page.type('input[type=password]', PASSWORD);
        await person.click('button', 'Se connecter');
        await person.see('navigation', 'Conversations');
        await person.clickOn('nav .row');
        await person.see('textbox', 'Votre message');
        return person;
      };
      const a = await entered('camille@example.org');
      assert.deepEqual(await a.page.evaluate(() => [isSecureContext, typeof crypto.randomUUID, typeof navigator.clipboard]), [false, 'undefined', 'undefined']);
      const b = await entered('helene@example.org');
      await a.page.bringToFront();
      await a.stage([{ name: 'bail.txt', type: 'text/plain', text: 'Article premier' }]);
      await a.until(() => document.querySelector('.staged-file') && !document.querySelector('.staged progress'));
      await a.say('Voici le bail');
      await a.isSent('Voici le bail');
      await b.hears('Voici le bail');
      await b.see('button', 'Télécharger bail.txt');
      await b.page.bringToFront();
      await b.tabBackTo('article');
      await b.press('r');
      await b.until(() => document.querySelector('.composer-about') && document.activeElement.matches('.composer textarea'));
      await b.page.keyboard.type('Bien reçu');
      await b.press('Enter');
      await a.hears('Bien reçu');
      await a.page.bringToFront();
      await a.tabBackTo('article');
      await a.press('c');
      await a.until(() => document.querySelector('.notice')?.textContent === 'Copié.');
      assert.deepEqual([...a.complaints, ...b.complaints], []);
      await Promise.all([a.close(), b.close()]);
    });
  });
}
