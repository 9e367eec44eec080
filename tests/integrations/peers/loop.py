"""A thread in which peers live that speak asyncio."""

import asyncio
import threading


class Loop:
    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def serve(self, protocol, tls=None):
        """Listens with a protocol for each connection; the port."""

        async def listen():
            return await self.loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)

        return self.run(listen()).sockets[0].getsockname()[1]
