"""A coturn of our own on loopback, and its own client."""

import re
import subprocess

from conftest import program
from house import free_port, until

SECRET = "a secret that the servers share"


class Coturn:
    def __init__(self, folder):
        self.port, self.log_path = free_port(), folder / "turn.log"
        self.process = subprocess.Popen(
            [
                program("turnserver"), "-n", "--no-cli", "--no-tls", "--no-dtls", "--use-auth-secret",
                f"--static-auth-secret={SECRET}", "--realm=cabinet.example", "--listening-ip=127.0.0.1",
                "--relay-ip=127.0.0.1", f"--listening-port={self.port}", "--allow-loopback-peers", "--fingerprint",
                "--log-file=stdout", "--verbose", f"--pidfile={folder}/turn.pid",
            ],
            stdin=subprocess.DEVNULL, stdout=self.log_path.open("wb"), stderr=subprocess.STDOUT, cwd=folder,
        )  # fmt: skip
        until(lambda: f"coturn listens: {self.log()}", lambda: "IPv4. UDP listener opened on" in self.log(), 30)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def relays_for(self, username, password):
        """Whether coturn's own client gets its packets through, both ways, with this password."""
        command = [program("turnutils_uclient"), "-y", "-n", "3", "-m", "1", "-l", "100", "-p", str(self.port)]
        asked = subprocess.run(
            [*command, "-u", username, "-w", password, "127.0.0.1"], capture_output=True, text=True, timeout=60
        )
        said = asked.stdout + asked.stderr
        sent, received = ([("0", "0")] + re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", said))[-1]
        return asked.returncode == 0 and sent == received != "0", said
