"""Ten thousand waiting notices beside the chat: how long acks take meanwhile, and how much memory the server holds.

usage: LEXCHAT_BIN=… PYTHON backlog.py [NOTICES [ROUNDS]], with a release build and the Python that tests/integrations/run
made.

Four fifths of the people have a browser, the others mail. The chat is five pairs with 20 messages per second each. Runs
with and without the channels alternate, on copies of one database; the relay and the push service take all at once, and
run only when the machine has nothing else to do (see `peers/sink.py`).
"""

import asyncio
import itertools
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import apsw
import socketio

from house import PATIENCE, House, furnish
from peers.push import PushService

NOTICES = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
FIRST, PAIRS, EACH_S, WINDOW_S, LOOK_EVERY_S = 100, 5, 20, 20, 0.2


def fill(db, push_port):
    """Everybody has a conversation with a juriste and one message there that they have not read."""
    browser = PushService.__new__(PushService)
    browser.browsers, browser.origin = {}, f"http://127.0.0.1:{push_port}"
    keys = browser.browser("x").device()["keys"]
    now = int(time.time() * 1000)
    connection = apsw.Connection(str(db))
    with connection:
        user = (
            "INSERT INTO users (id, name, email, password_hash, role, created_at, updated_at, email_confirmed_at)"
            " SELECT ?, 'Personne', ?, password_hash, 'client', 0, 0, 1 FROM users WHERE id = 1"
        )
        for number in range(NOTICES):
            who, lawyer = FIRST + number, 6 + number % 5
            connection.execute(user, (who, f"personne{number}@example.org"))
            connection.execute(
                "INSERT INTO conversations"
                " (id, client_id, lawyer_id, rev, active_at, client_unread, created_at, updated_at) VALUES (?, ?, ?, 1, ?, 1, 0, 0)",
                (who, who, lawyer, now),
            )
            connection.execute(
                "INSERT INTO messages (id, conversation_id, sender_id, sent_rev, rev, content, created_at)"
                " VALUES (?, ?, ?, 1, 1, 'Bonjour', ?)",
                (who, who, lawyer, now),
            )
            connection.execute("UPDATE conversations SET last_message_id = ? WHERE id = ?", (who, who))
            if number % 5:
                connection.execute(
                    "INSERT INTO devices (user_id, kind, address, public_key, auth, created_at, registered_at)"
                    " VALUES (?, 'webpush', ?, ?, ?, ?, ?)",
                    (who, f"{browser.origin}/{number}", keys["p256dh"], keys["auth"], now, now),
                )
                connection.execute(
                    "INSERT INTO notice_settings (user_id, push, email, detail, calls_in_quiet_hours)"
                    " VALUES (?, 1, 'never', 'none', 0)",
                    (who,),
                )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def opened(home, number):
    """A page in a conversation, and the conversation."""
    person = home.sign_in(f"client{number}")
    conversation_id = person.conversation(5 + number)
    page = socketio.AsyncClient(reconnection=False)
    await page.connect(
        f"http://127.0.0.1:{home.port}", namespaces=["/chat"], auth={"token": person.token}, transports=["websocket"]
    )
    await page.call("conversation:join", {"conversationId": conversation_id}, namespace="/chat")
    return page, conversation_id


async def chat(pages, over):
    """What each ack took, in milliseconds, until it is over."""
    took = []

    async def write(number, page, conversation_id):
        at = time.monotonic() + number / PAIRS / EACH_S
        while not over.is_set():
            await asyncio.sleep(max(0, at - time.monotonic()))
            began = time.monotonic()
            said = {"conversationId": conversation_id, "content": "Bonjour " * 15}
            assert (await page.call("message:send", said, namespace="/chat"))["success"]
            took.append((time.monotonic() - began) * 1000)
            at = max(at + 1 / EACH_S, time.monotonic())
        await page.disconnect()

    await asyncio.gather(*(write(number, *page) for number, page in enumerate(pages)))
    return sorted(took)


def status(home, name):
    line = next(
        it for it in pathlib.Path(f"/proc/{home.process.pid}/status").read_text().splitlines() if it.startswith(name)
    )
    return int(line.split()[1]) / 1024


async def measure(folder, template, flags, sink):
    """The acks while notices leave, how long that took, the most memory of the server's own in MiB, and what left."""
    before, over = sum(counts(sink)), asyncio.Event()
    home = House(folder, template, flags, level="info")
    most = 0.0
    try:
        pages = [await opened(home, number) for number in range(1, PAIRS + 1)]
        left_before, began = sum(counts(sink)) - before, time.monotonic()
        chatting = asyncio.ensure_future(chat(pages, over))
        while not over.is_set():
            await asyncio.sleep(LOOK_EVERY_S)
            # Not on this thread, which would keep the acks waiting for the sink.
            left = sum(await asyncio.to_thread(counts, sink)) - before
            most, took = max(most, status(home, "RssAnon")), time.monotonic() - began
            if (left >= NOTICES if flags else took > WINDOW_S) or took > PATIENCE:
                over.set()
        return await chatting, took, most, left - left_before
    finally:
        home.kill()


def p99(acks):
    return acks[len(acks) * 99 // 100]


def counts(sink):
    sink.stdin.write("\n")
    sink.stdin.flush()
    return [int(word) for word in sink.stdout.readline().split()]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(dir="."))
    sink = subprocess.Popen(
        [sys.executable, pathlib.Path(__file__).parent / "peers" / "sink.py"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        push, relay = sink.stdout.readline().split()
        template = furnish(folder)
        fill(template, push)
        flags = (
            "--push-contact", "avis@cabinet.example", "--push-host", f"http://127.0.0.1:{push}", "--push-after", "0",
            "--smtp", f"smtp://127.0.0.1:{relay}", "--mail-from", "avis@cabinet.example", "--mail-after", "0",
        )  # fmt: skip
        runs = {"without": [], "with": []}
        for number in range(ROUNDS):
            for name, those in (("without", ()), ("with", flags)):
                place = folder / f"{name}-{number}"
                place.mkdir()
                acks, took, most, left = asyncio.run(measure(place, template, those, sink))
                runs[name].append(acks)
                print(
                    f"{name:8} {len(acks)} acks in {took:.0f} s: median {statistics.median(acks):.1f} ms,"
                    f" p99 {p99(acks):.1f} ms; most memory {most:.0f} MiB; {left} notices left",
                    flush=True,
                )
                shutil.rmtree(place)
        for what, of in (
            ("median of the runs' p99", lambda acks: statistics.median(map(p99, acks))),
            ("p99 of all acks", lambda acks: p99(sorted(itertools.chain(*acks)))),
        ):
            ms = {name: of(acks) for name, acks in runs.items()}
            ratio = ms["with"] / ms["without"]
            print(f"{what}: {ms['with']:.1f} ms with, {ms['without']:.1f} ms without: {ratio:.2f} times")
    finally:
        sink.kill()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
