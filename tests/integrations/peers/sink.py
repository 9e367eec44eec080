"""A push service and a relay that take everything at once and only count; a process of its own, for measurements.

usage: sink.py. Prints both ports, and the counts whenever a line comes in.

It stands for machines of others: it runs only while nobody else on this one has anything to do, and so takes no processor
time from what is measured.
"""

import asyncio
import os
import sys

counts = {"pushes": 0, "mails": 0}


class Pushes(asyncio.Protocol):
    """Requests whose bodies all have a length, one after the other on each connection."""

    def connection_made(self, transport):
        self.transport, self.heard = transport, b""

    def data_received(self, data):
        self.heard += data
        while (end := self.heard.find(b"\r\n\r\n")) >= 0:
            head = self.heard[:end].lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            if len(self.heard) < end + 4 + length:
                return
            self.heard = self.heard[end + 4 + length :]
            counts["pushes"] += 1
            self.transport.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


class Mails(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.heard, self.is_mail = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data):
        self.heard += data
        while self._take():
            pass

    def _take(self):
        end = self.heard.find(b"\r\n.\r\n" if self.is_mail else b"\r\n")
        if end < 0:
            return False
        line, self.heard = self.heard[:end], self.heard[end + (5 if self.is_mail else 2) :]
        if self.is_mail:
            counts["mails"], self.is_mail = counts["mails"] + 1, False
            self.transport.write(b"250 2.0.0 taken\r\n")
        elif line.upper() == b"DATA":
            self.is_mail = True
            self.transport.write(b"354 go\r\n")
        else:
            self.transport.write(b"250-sink\r\n250 8BITMIME\r\n" if line[:4].upper() == b"EHLO" else b"250 ok\r\n")
        return True


async def main():
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    loop = asyncio.get_running_loop()
    ports = [(await loop.create_server(each, "127.0.0.1", 0)).sockets[0].getsockname()[1] for each in (Pushes, Mails)]
    print(*ports, flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(*counts.values(), flush=True)


asyncio.run(main())
