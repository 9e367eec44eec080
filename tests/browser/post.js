/** Who takes what leaves the house, in the tests: a relay that keeps the mails, and a push service as Firefox knows it. */
import { createServer } from 'node:http';
import net from 'node:net';
import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';
import { until } from '../support/node.mjs';

/** @param {net.Server} server @returns {Promise<number>} the port that it listens on */
const listening = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

/** Takes every mail and keeps it. */
export class Relay {
  /** @returns {Promise<Relay>} */
  static async start() {
    const relay = new Relay();
    /** @type {{to: string, text: string}[]} the latest last */
    relay.mails = [];
    relay.server = net.createServer((socket) => relay.speak(socket));
    relay.port = await listening(relay.server);
    return relay;
  }

  /** @param {net.Socket} socket */
  speak(socket) {
    let rest = '';
    let to = '';
    /** @type {string[]|null} the lines of the mail that is being told */
    let mail = null;
    const say = (line) => socket.write(`${line}\r\n`);
    const heard = (line) => {
      if (mail && line === '.') {
        this.mails.push({ to, text: decoded(mail.join('\r\n')) });
        mail = null;
        say('250 2.0.0 taken');
      } else if (mail) mail.push(line.replace(/^\.\./, '.'));
      else if (/^EHLO/i.test(line)) say('250-relay.test\r\n250 8BITMIME');
      else if (/^RCPT TO:<([^>]*)>/i.test(line)) say((to = RegExp.$1) && '250 2.1.5 well');
      else if (/^DATA/i.test(line)) say((mail = []) && '354 go on');
      else if (/^QUIT/i.test(line)) socket.end('221 2.0.0 bye\r\n');
      else say('250 2.0.0 well');
    };
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\r\n');
      rest = lines.pop() ?? '';
      lines.forEach(heard);
    });
    say('220 relay.test ESMTP');
  }

  /**
   * The address of a page that a mail leads to; the mail is then forgotten.
   * @param {string} to
   * @param {RegExp} path
   * @returns {Promise<string>} path of the page
   */
  async link(to, path) {
    const find = () => this.mails.find((mail) => mail.to === to && path.test(mail.text));
    const mail = await until(find, `a mail to ${to} with ${path}`);
    this.mails.splice(this.mails.indexOf(mail), 1);
    return path.exec(mail.text)[0];
  }

  stop() {
    this.server.close();
  }
}

/** The text of a mail: transfer encodings undone, whatever the parts are. @param {string} raw */
function decoded(raw) {
  const plain = raw.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  const hidden = [...raw.matchAll(/\r\n\r\n((?:[\w+/]{20,}={0,2}\r\n)+)/g)].map(([, text]) => Buffer.from(text, 'base64').toString('latin1'));
  return Buffer.from([plain, ...hidden].join('\n'), 'latin1').toString('utf8');
}

/**
 * A push service: browsers are connected by WebSocket and subscribe, the server posts, the browser says whether it could read what was
 * posted.
 */
export class PushService {
  /** @returns {Promise<PushService>} */
  static async start() {
    const service = new PushService();
    /** The socket of each channel. @type {Map<string, import('ws').WebSocket>} */
    service.channels = new Map();
    /** What browsers said of what they got: 100 is “read and delivered”. @type {number[]} */
    service.codes = [];
    service.posts = 0;
    /** Whether all that says something is too large for it. */
    service.takesOnlyEmpty = false;
    service.server = createServer((request, response) => service.take(request, response));
    service.sockets = new WebSocketServer({ server: service.server, handleProtocols: () => 'push-notification' });
    service.sockets.on('connection', (socket) => socket.on('message', (bytes) => service.heard(socket, bytes)));
    service.port = await listening(service.server);
    service.origin = `http://127.0.0.1:${service.port}`;
    return service;
  }

  /** What Firefox is started with. */
  get prefs() {
    return {
      'dom.push.serverURL': `ws://127.0.0.1:${this.port}/`,
      'dom.push.testing.allowInsecureServerURL': true,
      'dom.push.connection.enabled': true,
      'permissions.default.desktop-notification': 1,
      'alerts.useSystemBackend': false,
      'dom.serviceWorkers.testing.enabled': true,
    };
  }

  /** @param {import('ws').WebSocket} socket @param {Buffer} bytes */
  heard(socket, bytes) {
    const said = JSON.parse(bytes.toString());
    const say = (message) => socket.send(JSON.stringify(message));
    const { messageType, channelID } = said;
    if (messageType === 'hello') say({ messageType, uaid: said.uaid || randomUUID().replaceAll('-', ''), status: 200, use_webpush: true, broadcasts: {} });
    if (messageType === 'register') {
      this.channels.set(channelID, socket);
      say({ messageType, channelID, status: 200, pushEndpoint: `${this.origin}/wpush/${channelID}` });
    }
    if (messageType === 'unregister') {
      this.channels.delete(channelID);
      say({ messageType, channelID, status: 200 });
    }
    if (messageType === 'ack') this.codes.push(...said.updates.map((one) => one.code));
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async take(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const channelID = request.url.split('/').at(-1);
    const socket = this.channels.get(channelID);
    const body = Buffer.concat(parts);
    this.posts += 1;
    if (body.length && this.takesOnlyEmpty) {
      response.writeHead(413).end();
      return;
    }
    const said = body.length ? { data: body.toString('base64url'), headers: { encoding: 'aes128gcm' } } : {};
    socket?.send(JSON.stringify({ messageType: 'notification', channelID, version: randomUUID(), ...said }));
    response.writeHead(socket ? 201 : 410).end();
  }

  stop() {
    for (const socket of this.sockets.clients) socket.terminate();
    this.server.close();
  }
}
