"""Holds a port as systemd does for lexchat.socket and runs the server on it. usage: activate.py PORT COMMAND…

SIGHUP restarts the server, as `systemctl restart` does: the port stays open, and connections wait in its queue.
"""

import os
import signal
import socket
import subprocess
import sys

FIRST = 3  # sd_listen_fds(3): the number of the first socket that is handed over


def main() -> int:
    port, command = int(sys.argv[1]), sys.argv[2:]
    signals = {signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(4096)
    if listener.fileno() != FIRST:
        os.dup2(listener.fileno(), FIRST)
    os.set_inheritable(FIRST, True)
    server = start(command)
    while True:
        match signal.sigwait(signals):
            case signal.SIGHUP:
                server.terminate()
                if code := server.wait():
                    print(f"the server ended with {code}", file=sys.stderr)
                    return 1
                server = start(command)
            case signal.SIGTERM:
                server.terminate()
                return server.wait()
            case signal.SIGCHLD if server.poll() is not None:
                print(f"the server ended by itself with {server.returncode}", file=sys.stderr)
                return 1


def start(command: list[str]) -> subprocess.Popen:
    # The shell becomes the server and so knows the number that the server will have.
    words = ["sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *command]
    environment = os.environ | {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"}
    unblock = lambda: signal.pthread_sigmask(signal.SIG_SETMASK, set())
    return subprocess.Popen(words, env=environment, pass_fds=[FIRST], preexec_fn=unblock)


sys.exit(main())
