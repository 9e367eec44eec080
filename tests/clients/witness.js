// A socket and everything that it heard, so that a test can wait for what must come and see what must not.

import { within } from '../support/node.mjs';

export { within };

/** Wraps an official client's socket. */
export function witness(socket) {
  const heard = [];
  const waiting = new Set();
  socket.onAny((event, ...args) => {
    heard.push({ event, data: args[0] });
    for (const look of [...waiting]) look();
  });
  return {
    socket,
    heard,

    /** Emits with an ack and waits for it. */
    ask(event, data) {
      return within(new Promise((resolve) => socket.emit(event, data, resolve)), `the ack of ${event}`);
    },

    /** Waits for an event of that name whose data passes `wanted`, and takes it. */
    expect(event, wanted = () => true) {
      const found = new Promise((resolve) => {
        const look = () => {
          const place = heard.findIndex((entry) => entry.event === event && wanted(entry.data));
          if (place < 0) return;
          waiting.delete(look);
          resolve(heard.splice(place, 1)[0].data);
        };
        waiting.add(look);
        look();
      });
      return within(found, event, () => JSON.stringify(heard));
    },

    /** How many events of that name came and were not taken; a round trip makes sure that none is on its way. */
    async count(event) {
      await this.ask('conversation:users:online', { conversationId: 1 });
      return heard.filter((entry) => entry.event === event).length;
    },
  };
}

/** Waits for `connect`; rejects with what `connect_error` brought. */
export function connected(socket) {
  return within(
    new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(socket));
      socket.once('connect_error', reject);
    }),
    'connect',
  );
}

/** Waits for `connect_error`; fails if the socket connects. */
export function refused(socket) {
  return within(
    new Promise((resolve, reject) => {
      socket.once('connect_error', resolve);
      socket.once('connect', () => reject(new Error('the socket was let in')));
    }),
    'connect_error',
  );
}
