"""The real server on a database of its own, set up towards peers that others wrote."""

import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

# Python's own SQLite may be older than what the schema is written in.
import apsw

BINARY = os.environ["LEXCHAT_BIN"]
# How long anything may take that comes by itself: longer than the longest first pause before something is tried again.
PATIENCE = 90
# Stands in each name, title, text and file name of these tests; and the ways in which base64 cuts it.
CANARY = "canari"
CANARY_IN_BASE64 = ("Y2FuYX", "Q2FuYX", "NhbmFya", "jYW5hcm", "DYW5hcm")
WITHOUT_CONVERSATION = pathlib.Path(__file__).parents[1] / "support" / "no_conversation.sql"


def tells_nothing(text):
    """The canary is not in this text, whether plainly or in base64."""
    assert CANARY not in text.lower(), text
    assert not any(encoded in text for encoded in CANARY_IN_BASE64), text


def until(what, check, patience=PATIENCE):
    """The first true answer of `check`; the test fails if none comes in time."""
    deadline = time.monotonic() + patience
    while not (answer := check()):
        assert time.monotonic() < deadline, f"waited {patience} s until {what() if callable(what) else what}"
        time.sleep(0.02)
    return answer


# Below those that the system gives to whoever connects, and for each process some of its own: between looking and listening
# somebody else would else take the port, or a client that tries to come back be connected to itself.
FIRST_PORT, PORTS_EACH, PROCESSES = 20_000, 100, 120
PORTS = itertools.cycle(range(PORTS_EACH))


def free_port():
    for number in PORTS:
        port = FIRST_PORT + os.getpid() % PROCESSES * PORTS_EACH + number
        with socket.socket() as probe:
            # What only waits for its last packets does not keep a server from listening.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode()

    def expect(self, *statuses):
        assert self.status in statuses, f"{self.status} {self.text()}"
        return self


class House:
    """A server; `flags` are those of `lexchat serve`, and a value of bytes becomes a file with this content."""

    def __init__(self, folder, template, flags, level="debug"):
        self.folder, self.db, self.log_path = folder, folder / "house.db", folder / "log"
        self.port, self.process, self.level, self.flags = free_port(), None, level, []
        shutil.copy(template, self.db)
        for number, flag in enumerate(flags):
            if isinstance(flag, bytes):
                path = folder / f"file-{number}"
                path.write_bytes(flag)
                flag = path
            self.flags.append(str(flag))
        self.start()

    def start(self):
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}", "--db", self.db, "--log", self.level]
        rates = ["--message-rate", "0", "--event-rate", "0"]
        # The variables of whoever runs the tests are not the server's, a proxy least of all.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *rates, *self.flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        until(lambda: f"it is ready: {self.log()[-2000:]}", self.is_ready, 30)

    def is_ready(self):
        assert self.process.poll() is None, self.log()
        try:
            return self.ask("GET", "/readyz").status == 200
        except OSError:
            return False

    def kill(self, how=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait()

    def run(self, *words, code=0):
        """What another command of the program, on the same database, says; it ends with this code."""
        done = subprocess.run([BINARY, *words, "--db", self.db], capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def log(self):
        return self.log_path.read_text(errors="replace")

    def ask(self, method, path, body=None, headers=()):
        """One request; `body` is sent as JSON unless it is bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = dict(headers)
        if body is not None and not isinstance(body, bytes):
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def sign_in(self, who):
        return Person(self, self.ask("POST", "/auth/sign-in", {"email": f"{who}@example.com", "password": "Pass123!"}))

    # The database, as nobody but a test may touch it.

    def rows(self, sql, *values):
        connection = apsw.Connection(str(self.db))
        try:
            connection.set_busy_timeout(20_000)
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def move(self, person_id, address):
        """Gives somebody another address, which counts as confirmed."""
        self.rows("UPDATE users SET email = ? WHERE id = ?", address, person_id)

    def deliveries(self, person_id):
        """What was to leave for somebody, the first one first."""
        names = ("id", "channel", "state", "attempts", "reason", "due_at", "created_at")
        sql = f"SELECT {', '.join(names)} FROM outbox WHERE user_id = ? ORDER BY id"
        return [dict(zip(names, row, strict=True)) for row in self.rows(sql, person_id)]

    def delivery(self, person_id, what, holds):
        """The latest delivery to somebody, once this holds of it."""

        def check():
            found = self.deliveries(person_id)
            return found[-1] if found and holds(found[-1]) else None

        return until(lambda: f"{what}: {self.deliveries(person_id)}", check)

    def sent(self, person_id):
        return self.delivery(person_id, "it has left", lambda it: it["state"] == "sent")

    def put_off(self, person_id, attempts=1):
        """The latest delivery to somebody, tried so often in vain; `pause`: in how many seconds it is again."""
        waits = lambda it: it["attempts"] == attempts and it["state"] == "waiting" and it["reason"]  # noqa: E731
        row = self.delivery(
            person_id, "it was tried and waits", lambda it: waits(it) and it["due_at"] > now_ms() - 60_000
        )
        return row | {"pause": row["due_at"] / 1000 - time.time()}

    def tells_nothing(self, admin):
        """The canary is in nothing that an operator reads."""
        log = self.log()
        assert "DEBUG" in log
        tells_nothing(log)
        for path in ("/admin/deliveries", "/admin/status"):
            tells_nothing(admin.ask("GET", path).expect(200).text())
        tells_nothing(self.ask("GET", "/metrics").expect(200).text())


class Person:
    """Somebody who is signed in."""

    def __init__(self, house, answer):
        said = answer.expect(200).json()
        self.house, self.id, self.token = house, said["user"]["id"], said["accessToken"]

    def ask(self, method, path, body=None, headers=()):
        return self.house.ask(method, path, body, {"Authorization": f"Bearer {self.token}", **dict(headers)})

    def conversation(self, other_id):
        return self.ask("POST", "/conversations", {"participantId": other_id}).expect(200, 201).json()["id"]

    def say(self, other_id, text="Un canari chante"):
        """Says something with the canary in it, with a file whose name and content have it too."""
        conversation_id = self.conversation(other_id)
        path = f"/attachments?conversationId={conversation_id}&name=canari.txt"
        file_id = self.ask("POST", path, b"canari").expect(201).json()["id"]
        said = {"conversationId": conversation_id, "content": text, "files": [file_id]}
        self.ask("POST", "/messages", said).expect(200, 201)
        return conversation_id

    def read(self, conversation_id):
        self.ask("PATCH", f"/conversations/{conversation_id}/mark-as-read").expect(200, 204)

    def settings(self):
        return self.ask("GET", "/notifications/settings").expect(200).json()

    def devices(self):
        return self.ask("GET", "/notifications/devices").expect(200).json()

    def register(self, device):
        return self.ask("POST", "/notifications/devices", device).expect(200, 201).json()["id"]

    def hurry(self, delivery):
        """An administrator has a delivery be tried at once, unless it has been by itself: the dice may give a pause of a second."""
        self.ask("POST", f"/admin/deliveries/{delivery['id']}/retry").expect(202, 409)


def now_ms():
    return time.time() * 1000


def furnish(folder):
    """A database of the demo people, without conversation; the canary is in their names."""
    db = folder / "template.db"
    # Whoever starts it once has it made.
    process = subprocess.Popen(
        [BINARY, "serve", "--listen", "127.0.0.1:0", "--db", db],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"HOME": str(folder)},
    )
    assert any(re.search(r"page +http", line) for line in process.stdout)
    process.terminate()
    process.wait()
    connection = apsw.Connection(str(db))
    with connection:
        connection.execute(WITHOUT_CONVERSATION.read_text())
        connection.execute("UPDATE users SET email_confirmed_at = 1, name = 'Canari ' || id, specialty = 'Le canari'")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return db
