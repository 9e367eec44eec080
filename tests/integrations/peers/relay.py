"""Relays by aiosmtpd: with STARTTLS and AUTH, with TLS from the first byte and AUTH, in the clear, and one in the clear
that is too busy for the first who comes.

The local part of a recipient's address names what goes wrong, and at which step; behind `once-` it goes wrong once.
"""

import asyncio
import email
import email.policy
import functools
import ssl

from aiosmtpd.smtp import SMTP, AuthResult

from house import until

USER, PASSWORD = "me@cabinet.example", "pass wörd"
ANSWERS = {
    "mail-451": "451 4.3.0 try again",
    "mail-553": "553 5.7.1 sender address rejected",
    "rcpt-421": "421 4.3.2 closing",
    "rcpt-450": "450 4.7.1 greylisted",
    "rcpt-451": "451 4.3.0 try again",
    "rcpt-452": "452 4.2.2 mailbox full",
    "rcpt-550": "550 5.1.1 no such user",
    "rcpt-552": "552 5.2.2 mailbox full",
    "rcpt-relay": "554 5.7.1 relay access denied",
    "final-451": "451 4.3.0 queue full",
    "final-554": "554 5.6.0 content rejected",
}


class Mail:
    """A mail as Python's own email package reads it."""

    def __init__(self, content, relay=None, session=None, envelope=None):
        mail = email.message_from_bytes(content, policy=email.policy.default)
        parts = [part for part in mail.walk() if not part.is_multipart()]
        self.relay, self.raw = relay, content.decode("utf-8", "replace")
        self.kind, self.headers = mail.get_content_type(), mail
        self.bodies = {part.get_content_type(): part.get_content() for part in parts}
        self.defects = [defect for part in mail.walk() for defect in part.defects]
        self.defects += [defect for value in mail.values() for defect in value.defects]
        if envelope:
            self.to = envelope.rcpt_tos[0]
            self.sender = envelope.mail_from
            self.is_encrypted = session.ssl is not None or relay == "implicit"
            self.user = session.auth_data.login.decode() if session.auth_data else None

    def everything(self):
        """All that it says, decoded."""
        return "\n".join([self.raw, *map(str, self.headers.values()), *self.bodies.values()])


class Relays:
    """`ports` by name; `mails` that came, the first one first."""

    def __init__(self, loop, authority=None):
        self.mails, self.went_wrong = [], set()
        # Seconds before a mail that has come is said to be taken.
        self.pause = 0
        signing_in = {"authenticator": self._authenticate, "auth_required": True}
        kinds = {"clear": (None, {}), "busy": (None, {})}
        if authority:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
            kinds["starttls"] = (None, {"tls_context": context, "require_starttls": True, **signing_in})
            kinds["implicit"] = (context, {"auth_require_tls": False, **signing_in})
        self.ports = {}
        for name, (tls_at_once, options) in kinds.items():
            made = functools.partial(
                SMTP, _Relay(self, name), hostname="relay.example", enable_SMTPUTF8=True, **options
            )
            made = self._busy_once(made) if name == "busy" else made
            self.ports[name] = loop.serve(made, tls_at_once)

    def to(self, address):
        return [mail for mail in self.mails if mail.to == address]

    def first(self, address, count=1):
        """The mails to an address once there are so many."""
        return until(
            lambda: f"{count} mails for {address}: {len(self.to(address))}",
            lambda: len(self.to(address)) >= count and self.to(address),
        )

    def wrong(self, address, step):
        """What goes wrong with this address at this step, if anything does."""
        local = address.split("@")[0]
        name = local.removeprefix("once-")
        if not name.startswith(step) or (name != local and local in self.went_wrong):
            return None
        self.went_wrong.add(local)
        return name

    def _authenticate(self, server, session, envelope, mechanism, data):
        if data.login == USER.encode() and data.password == PASSWORD.encode():
            return AuthResult(success=True, auth_data=data)
        return AuthResult(success=False, handled=False)

    def _busy_once(self, made):
        came = []

        def protocol():
            came.append(True)
            return _TooBusy() if len(came) == 1 else made()

        return protocol


class _TooBusy(asyncio.Protocol):
    def connection_made(self, transport):
        transport.write(b"421 4.3.2 too busy\r\n")
        transport.close()


class _Relay:
    """What aiosmtpd asks at each step."""

    def __init__(self, relays, name):
        self.relays, self.name = relays, name

    async def handle_MAIL(self, server, session, envelope, address, options):
        name = self.relays.wrong(address, "mail-")
        if name:
            return ANSWERS[name]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = self.relays.wrong(address, "rcpt-")
        if name == "rcpt-drop":
            server.transport.abort()
            return "250 never heard"
        if name == "rcpt-421":
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
        if name:
            return ANSWERS[name]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        name = self.relays.wrong(envelope.rcpt_tos[0], "final-")
        if name in ANSWERS:
            return ANSWERS[name]
        self.relays.mails.append(Mail(envelope.original_content, self.name, session, envelope))
        if name == "final-drop":
            server.transport.abort()
            return "250 never heard"
        await asyncio.sleep(self.relays.pause)
        return "250 2.0.0 OK queued as ABC123"
