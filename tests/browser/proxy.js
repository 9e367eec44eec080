/** A wire between page and server that a test can make deaf in one direction, or cut. */
import net from 'node:net';
import { freePort } from '../support/node.mjs';

export class Wire {
  /** @param {number} port of the server @returns {Promise<Wire>} */
  static async to(port) {
    const wire = new Wire();
    wire.deaf = false;
    wire.pairs = new Set();
    wire.port = await freePort();
    wire.url = `http://127.0.0.1:${wire.port}`;
    wire.listener = net.createServer((page) => {
      const server = net.connect(port, '127.0.0.1');
      const pair = { page, server };
      wire.pairs.add(pair);
      const end = () => {
        wire.pairs.delete(pair);
        page.destroy();
        server.destroy();
      };
      page.on('data', (bytes) => server.write(bytes)).on('error', end).on('close', end);
      server.on('data', (bytes) => { if (!wire.deaf) page.write(bytes); }).on('error', end).on('close', end);
    });
    await new Promise((resolve) => wire.listener.listen(wire.port, '127.0.0.1', resolve));
    return wire;
  }

  /** Ends every connection that is open now. */
  cut() {
    for (const { page, server } of this.pairs) {
      page.destroy();
      server.destroy();
    }
  }

  close() {
    this.cut();
    this.listener.close();
  }
}
