/** A Stripe with payment pages that a browser can open: what the server asks of it is answered, what happens is told and signed by Stripe's own library. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import Official from 'stripe';

const KEY = 'sk_live_abc';
export const SECRET = 'whsec_page';

const EVERY_PAGE = { 'Content-Type': 'text/html; charset=utf-8' };
const PAY = '<!doctype html><html lang="fr"><title>Paiement</title><form method="post"><button>Payer par carte</button></form>';

export class Stripe {
  /** @returns {Promise<Stripe>} listening */
  static async start() {
    const stripe = new Stripe();
    stripe.server = createServer((request, response) => stripe.serve(request, response));
    await new Promise((resolve) => stripe.server.listen(0, '127.0.0.1', resolve));
    stripe.url = `http://127.0.0.1:${stripe.server.address().port}`;
    return stripe;
  }

  constructor() {
    /** The server that is told what happens; set once it is there. */
    this.hook = '';
    this.made = 0;
    /** @type {Record<string, any>} */
    this.sessions = {};
    /** @type {Record<string, any>} */
    this.payments = {};
    /** @type {Record<string, any>} */
    this.refunds = {};
    /** By the payment. @type {Record<string, any>} */
    this.disputes = {};
    /** What was answered to each key of idempotency. @type {Map<string, any>} */
    this.keys = new Map();
  }

  /** What has a server ask this Stripe and believe what it tells. @param {string} folder for the secrets @returns {string[]} */
  flags(folder) {
    const file = (name, text) => {
      writeFileSync(join(folder, name), `${text}\n`);
      return join(folder, name);
    };
    return ['--stripe-key-file', file('key', KEY), '--stripe-webhook-secret-file', file('secret', SECRET), '--stripe-api', this.url];
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async serve(request, response) {
    let body = '';
    for await (const part of request) body += part;
    const { pathname, searchParams } = new URL(request.url, this.url);
    const page = /^\/pay\/(\w+)$/.exec(pathname);
    if (page && request.method === 'GET') response.writeHead(200, EVERY_PAGE).end(PAY);
    else if (page) {
      const session = await this.pay(page[1]);
      response.writeHead(303, { Location: session.success_url }).end();
    } else {
      const answer = request.method === 'GET' ? this.shown(pathname, searchParams)
        : this.once(String(request.headers['idempotency-key']), () => this.changed(pathname, new URLSearchParams(body)));
      response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? { error: { type: 'invalid_request_error', code: 'resource_missing' } }));
    }
  }

  /** The same key has one effect. @param {string} key @param {() => any} change */
  once(key, change) {
    if (!this.keys.has(key)) this.keys.set(key, structuredClone(change()));
    return this.keys.get(key);
  }

  /** @param {string} kind @returns {string} */
  id(kind) {
    this.made += 1;
    return `${kind}_${this.made}`;
  }

  /** What is asked for. @param {string} path @param {URLSearchParams} query */
  shown(path, query) {
    const [, , kind, second, third] = path.split('/');
    const list = (data) => ({ object: 'list', data, has_more: false });
    if (kind === 'events') return list([]);
    if (kind === 'disputes') return list([this.disputes[query.get('payment_intent')]].filter(Boolean));
    if (kind === 'refunds') return second ? this.refunds[second] : list(Object.values(this.refunds).filter((one) => one.payment_intent === query.get('payment_intent')));
    if (kind === 'payment_intents') return this.payments[second];
    const session = this.sessions[third];
    return session && { ...session, payment_intent: this.payments[session.payment_intent] ?? null };
  }

  /** @param {string} path @param {URLSearchParams} form */
  changed(path, form) {
    const [, , kind, , id, act] = path.split('/');
    if (kind === 'refunds') return this.refund(form);
    if (act === 'expire') return Object.assign(this.sessions[id], { status: 'expired', url: null });
    const session = {
      id: this.id('cs'), object: 'checkout.session', status: 'open', payment_status: 'unpaid', currency: 'eur', livemode: true, payment_intent: null,
      amount_total: Number(form.get('line_items[0][price_data][unit_amount]')), client_reference_id: form.get('client_reference_id'),
      metadata: { history: form.get('metadata[history]'), reference: form.get('metadata[reference]') },
      expires_at: Number(form.get('expires_at')), success_url: form.get('success_url'),
    };
    return (this.sessions[session.id] = { ...session, url: `${this.url}/pay/${session.id}` });
  }

  /** @param {URLSearchParams} form */
  refund(form) {
    const refund = {
      id: this.id('re'), object: 'refund', status: 'succeeded', amount: Number(form.get('amount')), currency: 'eur', failure_reason: null,
      payment_intent: form.get('payment_intent'), metadata: { history: form.get('metadata[history]'), refund: form.get('metadata[refund]') },
    };
    return (this.refunds[refund.id] = refund);
  }

  /** Somebody pays on a page: the money is there, and the server is told. @param {string} sessionId */
  async pay(sessionId) {
    const session = this.sessions[sessionId];
    if (session.status !== 'open') throw new Error(`nobody can pay on ${JSON.stringify(session)}`);
    const { amount_total: amount, metadata } = session;
    const id = this.id('pi');
    const charge = { id: this.id('ch'), object: 'charge', amount_captured: amount, amount_refunded: 0, disputed: false, payment_intent: id, payment_method_details: { type: 'card' } };
    this.payments[id] = { id, object: 'payment_intent', status: 'succeeded', amount, amount_received: amount, currency: 'eur', metadata, latest_charge: charge, last_payment_error: null, livemode: true };
    Object.assign(session, { status: 'complete', payment_status: 'paid', payment_intent: id, url: null });
    await this.tell('checkout.session.completed', session);
    return session;
  }

  /** The payer's bank asks for what is left of it back, or says how that ended; the server is told. @param {string} sessionId @param {string} status */
  async dispute(sessionId, status) {
    const { payment_intent: id, amount_total: paid } = this.sessions[sessionId];
    const back = Object.values(this.refunds).filter((one) => one.payment_intent === id);
    const amount = back.reduce((left, one) => left - one.amount, paid);
    this.payments[id].latest_charge.disputed = true;
    this.disputes[id] = { id: `dp_of_${id}`, object: 'dispute', amount, status, reason: 'fraudulent', payment_intent: id };
    await this.tell(`charge.dispute.${status === 'lost' ? 'closed' : 'created'}`, this.disputes[id]);
  }

  /** @param {string} type @param {any} object */
  async tell(type, object) {
    const time = Math.floor(Date.now() / 1000);
    const body = JSON.stringify({ id: this.id('evt'), object: 'event', type, livemode: true, created: time, data: { object } });
    const signature = Official.webhooks.generateTestHeaderString({ payload: body, secret: SECRET, timestamp: time });
    const answer = await fetch(this.hook, { method: 'POST', headers: { 'Stripe-Signature': signature }, body });
    if (!answer.ok) throw new Error(`not heard: ${answer.status} ${await answer.text()}`);
  }
}
