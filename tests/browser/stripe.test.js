/** Stripe's own library as the judge of signatures: the server believes what it signs, and of what is signed by hand just what it believes. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Official from 'stripe';
import { Server } from './server.js';
import { SECRET, Stripe } from './stripe.js';

const { webhooks, errors } = Official;

let stripe, server, secrets;
before(async () => {
  stripe = await Stripe.start();
  secrets = mkdtempSync(join(tmpdir(), 'lexchat-stripe-'));
  server = await Server.start(['--no-demo', ...stripe.flags(secrets)]);
});
after(async () => {
  await server?.stop();
  await stripe.stop();
  rmSync(secrets, { recursive: true, force: true });
});

/** @param {string} body @param {string} header */
function isBelievedByTheLibrary(body, header) {
  try {
    return webhooks.constructEvent(body, header, SECRET).type === 'payout.paid';
  } catch (error) {
    if (error instanceof errors.StripeSignatureVerificationError) return false;
    throw error;
  }
}

/** @param {string} body @param {string} header */
async function isBelievedByTheServer(body, header) {
  const { status } = await fetch(`${server.url}/hooks/stripe`, { method: 'POST', headers: { 'Stripe-Signature': header }, body });
  assert.ok(status === 200 || status === 400, `${status} for ${header}`);
  return status === 200;
}

test('the server and the library believe the same signatures', async () => {
  const now = Math.floor(Date.now() / 1000);
  const body = JSON.stringify({ id: 'evt_é', object: 'event', type: 'payout.paid', livemode: true, created: now, data: { object: {} } });
  const by = (secret, time) => createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
  const own = webhooks.generateTestHeaderString({ payload: body, secret: SECRET });
  const right = by(SECRET, now);
  for (const [what, header, isGenuine] of /** @type {[string, string, boolean][]} */ ([
    ['what the library signs', own, true],
    ['what is signed by hand', `t=${now},v1=${right}`, true],
    ['one of two secrets, and another scheme', `t=${now},v1=${'0'.repeat(64)},v1=${right},v0=${'1'.repeat(64)}`, true],
    ['four minutes old', `t=${now - 240},v1=${by(SECRET, now - 240)}`, true],
    ['more than five minutes old', `t=${now - 360},v1=${by(SECRET, now - 360)}`, false],
    ['another time than the signed one', `t=${now - 1},v1=${right}`, false],
    ['another secret', webhooks.generateTestHeaderString({ payload: body, secret: 'whsec_other' }), false],
    ['another scheme alone', `t=${now},v0=${right}`, false],
    ['no time', `v1=${right}`, false],
    ['nothing', '', false],
  ])) {
    assert.equal(isBelievedByTheLibrary(body, header), isGenuine, `the library: ${what}`);
    assert.equal(await isBelievedByTheServer(body, header), isGenuine, `the server: ${what}`);
  }
  const tampered = body.replace('"livemode":true', '"livemode":null');
  assert.notEqual(tampered, body);
  for (const header of [own, `t=${now},v1=${right}`]) {
    assert.equal(isBelievedByTheLibrary(tampered, header), false, 'the library: another body');
    assert.equal(await isBelievedByTheServer(tampered, header), false, 'the server: another body');
  }
});
