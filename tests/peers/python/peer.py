"""python-socketio (asyncio) against the echo server. usage: peer.py http://127.0.0.1:PORT"""

import asyncio
import sys

import socketio

PATIENCE = 40
ADDRESS = sys.argv[1]


class Peer:
    def __init__(self):
        self.client = socketio.AsyncClient(reconnection=False)
        self.heard = asyncio.Queue()
        for namespace in ("/", "/custom"):
            for event in ("auth", "message-back"):
                self.client.on(event, self.listener(event), namespace=namespace)
            self.client.on("emit-with-ack", self.acknowledge, namespace=namespace)

    def listener(self, event):
        async def listen(*values):
            await self.heard.put((event, values))

        return listen

    async def acknowledge(self, *values):
        await self.heard.put(("emit-with-ack", values))
        return "acknowledged", b"\x01"

    async def hear(self):
        return await asyncio.wait_for(self.heard.get(), PATIENCE)


async def converse(transports, namespace):
    peer = Peer()
    await peer.client.connect(ADDRESS, transports=transports, namespaces=[namespace], auth={"token": "abc"})
    assert await peer.hear() == ("auth", ({"token": "abc"},))

    async def say(event, *values, **options):
        await peer.client.emit(event, values, namespace=namespace, **options)

    await say("message", 1, "héllo €", {"list": [True, None]})
    assert await peer.hear() == ("message-back", (1, "héllo €", {"list": [True, None]}))
    await say("message", {"deep": [b"\x00\x1e\xff"]}, b"x" * 70_000)
    assert await peer.hear() == ("message-back", ({"deep": [b"\x00\x1e\xff"]}, b"x" * 70_000))
    answer = await peer.client.call("message-with-ack", (1, b"\x02"), namespace=namespace, timeout=PATIENCE)
    assert list(answer) == [1, b"\x02"], answer
    await say("emit-with-ack", "a", b"b")
    assert await peer.hear() == ("emit-with-ack", ("a", b"b"))
    assert await peer.hear() == ("emit-with-ack", ("acknowledged", b"\x01"))
    for number in range(200):
        await say("message", number)
    assert [await peer.hear() for _ in range(200)] == [("message-back", (number,)) for number in range(200)]
    await asyncio.sleep(1.5)
    await say("message", "after some heartbeats")
    assert await peer.hear() == ("message-back", ("after some heartbeats",))
    await peer.client.disconnect()


async def refused(transports):
    client = socketio.AsyncClient(reconnection=False)
    try:
        await client.connect(ADDRESS, transports=transports, namespaces=["/random"], wait_timeout=PATIENCE)
    except socketio.exceptions.ConnectionError:
        return
    finally:
        await client.disconnect()
    raise AssertionError("let into a namespace that there is not")


async def main():
    for transports in (["polling"], ["websocket"], ["polling", "websocket"]):
        for namespace in ("/", "/custom"):
            await converse(transports, namespace)
        await refused(transports)
        print("ok python-socketio", "+".join(transports))


asyncio.run(main())
