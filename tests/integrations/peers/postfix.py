"""A postfix of our own on loopback, which knows one person: STARTTLS and AUTH demanded, delivery into a maildir."""

import os
import pathlib
import pwd
import subprocess

from house import free_port, until
from peers.relay import PASSWORD, Mail

USER = "lexchat@relay.client.example"
MARIE = "marie@client.example"


class Postfix:
    def __init__(self, folder, authority):
        self.folder, self.port = folder, free_port()
        # Its parts run as other users and have to come through.
        for way in [folder, *folder.parents]:
            if way.owner() == "root" and way != pathlib.Path("/"):
                way.chmod(way.stat().st_mode | 0o055)
        for part in ("queue", "data", "mail", "etc"):
            (folder / part).mkdir()
        postfix = pwd.getpwnam("postfix")
        for part in ("data", "mail"):
            os.chown(folder / part, postfix.pw_uid, postfix.pw_gid)
        self._certify(authority)
        self._let_in(postfix)
        (folder / "etc" / "main.cf").write_text(self._main(postfix.pw_uid))
        (folder / "etc" / "master.cf").write_text(self._master())
        self._command("start")

    def stop(self):
        self._command("stop")

    def log(self):
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def delivered(self, count=1):
        """Marie's mails, once there are so many."""
        new = self.folder / "mail" / "marie" / "new"
        files = lambda: sorted(new.iterdir(), key=lambda it: it.stat().st_mtime) if new.exists() else []  # noqa: E731
        until(lambda: f"{count} mails are delivered: {self.log()}", lambda: len(files()) >= count)
        return [Mail(path.read_bytes()) for path in files()]

    def _command(self, word):
        subprocess.run(["/usr/sbin/postfix", "-c", self.folder / "etc", word], check=True, capture_output=True)

    def _certify(self, authority):
        issued = authority.issue_cert("localhost", "127.0.0.1")
        issued.private_key_pem.write_to_path(self.folder / "key.pem")
        issued.cert_chain_pems[0].write_to_path(self.folder / "cert.pem")

    def _let_in(self, postfix):
        """Cyrus SASL, with a file of its own of who may come in."""
        # Debian's postfix looks beside its own configuration.
        folder = self.folder / "etc" / "sasl"
        folder.mkdir()
        people = folder / "people"
        subprocess.run(
            ["/usr/sbin/saslpasswd2", "-p", "-c", "-f", people, "-u", "relay.client.example", "lexchat"],
            input=PASSWORD.encode(),
            check=True,
            capture_output=True,
        )
        os.chown(people, postfix.pw_uid, postfix.pw_gid)
        (folder / "smtpd.conf").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {people}\nmech_list: PLAIN LOGIN\n"
        )

    def _main(self, uid):
        shown = self.folder
        return f"""
compatibility_level = 3.6
queue_directory = {shown}/queue
data_directory = {shown}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {shown}/log
maillog_file_prefixes = {shown}
myhostname = relay.client.example
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_peername_lookup = no
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {shown}/cert.pem
smtpd_tls_key_file = {shown}/key.pem
smtpd_tls_received_header = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = relay.client.example
cyrus_sasl_config_path = {shown}/etc/sasl
virtual_mailbox_domains = client.example
virtual_mailbox_base = {shown}/mail
virtual_mailbox_maps = inline:{{ {{ {MARIE} = marie/ }} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
"""

    def _master(self):
        """Debian's own list of services, without chroot, and with the one port that is ours."""
        lines = []
        for line in pathlib.Path("/usr/share/postfix/master.cf.dist").read_text().splitlines():
            columns = line.split()
            if line.startswith(("#", " ")) or len(columns) < 8 or columns[7] == "pipe":
                continue
            if columns[:2] == ["smtp", "inet"]:
                columns[0] = f"127.0.0.1:{self.port}"
            columns[4] = "n"
            lines.append(" ".join(columns))
        return "\n".join(lines) + "\n"
