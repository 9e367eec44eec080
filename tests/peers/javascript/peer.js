// The official client, in three versions and by each choice of transports. usage: node peer.js http://127.0.0.1:PORT
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { PATIENCE_MS, until } from "../../support/node.mjs";

const address = process.argv[2];
const versions = ["4.0", "4.5", "4.8"];
const choices = { polling: ["polling"], websocket: ["websocket"], default: undefined };

const cases = {
  async "is let in with what it brings, in each namespace"({ open }) {
    for (const namespace of ["/", "/custom"]) {
      const socket = open(namespace, { auth: { token: "abc", deep: { list: [1, null, "é"] } } });
      assert.deepEqual(await heard(socket, "auth"), [{ token: "abc", deep: { list: [1, null, "é"] } }]);
      assert.ok(socket.id && socket.id !== socket.io.engine.id, "the socket's name is not the session's");
      socket.disconnect();
    }
  },

  async "is kept out of a namespace that there is not"({ open }) {
    const socket = open("/random");
    const [error] = await heard(socket, "connect_error");
    assert.equal(error.message, "Invalid namespace");
    socket.disconnect();
  },

  async "shares one connection between namespaces"({ open }) {
    const first = open("/");
    const second = first.io.socket("/custom");
    second.connect();
    await Promise.all([heard(first, "auth"), heard(second, "auth")]);
    second.emit("message", "second");
    assert.deepEqual(await heard(second, "message-back"), ["second"]);
    second.disconnect();
    first.emit("message", "first");
    assert.deepEqual(await heard(first, "message-back"), ["first"]);
    first.disconnect();
  },

  async "says and hears text of every kind"({ connected }) {
    const socket = await connected();
    const values = [1, "2", { 3: [true, null, -1.5e300] }, "héllo € 𝄞", "\u001e\u0000", "x".repeat(100_000), []];
    socket.emit("message", ...values);
    assert.deepEqual(await heard(socket, "message-back"), values);
    socket.disconnect();
  },

  async "says and hears binary wherever it stands"({ connected }) {
    const socket = await connected();
    const bytes = Buffer.from([0, 1, 2, 30, 254, 255]);
    socket.emit("message", bytes, { deep: [{ file: Buffer.alloc(70_000, 7) }] }, "text");
    const [first, second, third] = await heard(socket, "message-back");
    assert.ok(bytes.equals(Buffer.from(first)));
    assert.ok(Buffer.alloc(70_000, 7).equals(Buffer.from(second.deep[0].file)));
    assert.equal(third, "text");
    socket.disconnect();
  },

  async "is acknowledged, with binary too"({ connected }) {
    const socket = await connected();
    const answer = await new Promise((done) => socket.emit("message-with-ack", 1, Buffer.from("é"), (...all) => done(all)));
    assert.equal(answer[0], 1);
    assert.equal(Buffer.from(answer[1]).toString(), "é");
    socket.disconnect();
  },

  async "acknowledges, with binary too"({ connected }) {
    const socket = await connected();
    socket.once("emit-with-ack", (number, data, ack) => ack(number + 1, Buffer.concat([data, Buffer.from([9])])));
    const brought = heard(socket, "emit-with-ack", ([first]) => first === 2);
    socket.emit("emit-with-ack", 1, Buffer.from([8]));
    const [number, data] = await brought;
    assert.equal(number, 2);
    assert.deepEqual([...Buffer.from(data)], [8, 9]);
    socket.disconnect();
  },

  async "keeps the order of what it says at once, across an upgrade"({ open }) {
    const socket = open("/");
    const got = [];
    socket.on("message-back", (value) => got.push(typeof value === "number" ? value : Buffer.from(value).readUInt32BE()));
    for (let number = 0; number < 300; number += 1) {
      const data = Buffer.alloc(4);
      data.writeUInt32BE(number);
      socket.emit("message", number % 10 ? number : data);
      if (number % 20 === 0) await wait(1);
    }
    await until(() => got.length === 300);
    assert.deepEqual(got, [...got.keys()]);
    socket.disconnect();
  },

  async "outlives several heartbeats"({ connected }) {
    const socket = await connected();
    let lost = "";
    socket.on("disconnect", (reason) => { lost = reason; });
    let beats = 0;
    const { engine } = socket.io;
    engine.on("heartbeat", () => { beats += 1; });
    engine.on("ping", () => { beats += 1; });
    await until(() => beats >= 3);
    assert.equal(lost, "");
    socket.emit("message", "still here");
    assert.deepEqual(await heard(socket, "message-back"), ["still here"]);
    socket.disconnect();
  },

  async "uses the transports that it was told to"({ connected, choice }) {
    const socket = await connected();
    const name = () => socket.io.engine.transport.name;
    if (choice === "polling") {
      await wait(50);
      assert.equal(name(), "polling");
    } else {
      await until(() => name() === "websocket");
    }
    socket.disconnect();
  },
};

for (const version of versions) {
  const { io } = await import(`socket.io-client-${version}`);
  for (const [choice, transports] of Object.entries(choices)) {
    const open = (namespace, options = {}) =>
      io(`${address}${namespace}`, { forceNew: true, reconnection: false, ...(transports && { transports }), ...options });
    const connected = async () => {
      const socket = open("/");
      await heard(socket, "auth");
      return socket;
    };
    for (const [name, run] of Object.entries(cases)) {
      try {
        await run({ open, connected, choice });
      } catch (error) {
        console.error(`not ok socket.io-client ${version} ${choice}: ${name}`);
        throw error;
      }
    }
    console.log(`ok socket.io-client ${version} ${choice}: ${Object.keys(cases).length} cases`);
  }
}
process.exit(0);

function heard(socket, event, fits = () => true) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${event} in time`)), PATIENCE_MS);
    const listen = (...values) => {
      if (!fits(values)) return;
      clearTimeout(late);
      socket.off(event, listen);
      resolve(values);
    };
    socket.on(event, listen);
  });
}

