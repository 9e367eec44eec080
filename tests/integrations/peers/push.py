"""A push service with its browsers: judges each request as RFC 8030 and 8292 want it, decrypts it as a browser does."""

import base64
import json
import os
import re
import time

import http_ece
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from house import until
from peers.web import Service


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Push:
    """A push that came, decrypted."""

    def __init__(self, browser, headers, body, claims, key):
        self.at, self.browser, self.headers, self.length = time.time(), browser, headers, len(body)
        self.plain = http_ece.decrypt(
            body, private_key=browser.key, auth_secret=browser.auth, version="aes128gcm"
        ).decode()
        self.shown, self.topic, self.claims, self.key = json.loads(self.plain), headers["Topic"], claims, key


class Browser:
    """A browser that has subscribed. `answers`: (status, headers, body) for the next pushes; 201 when none are left."""

    def __init__(self, service, name):
        self.service, self.name, self.answers, self.pushes = service, name, [], []
        # Pushes that say nothing.
        self.wakings = 0
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)

    def device(self, origin=None):
        """What its page registers."""
        kind = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        keys = {"p256dh": encoded(self.key.public_key().public_bytes(*kind)), "auth": encoded(self.auth)}
        endpoint = f"{origin or self.service.origin}/secret-{self.name}"
        return {"kind": "webpush", "endpoint": endpoint, "keys": keys, "name": "Firefox"}

    def will_answer(self, status, headers=None, body=b"", times=1):
        """`headers`: a dictionary, or what makes one when the push has come."""
        said = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers += [(status, headers or {}, said)] * times

    def got(self, count=1):
        """The pushes once there are so many."""

        def check():
            assert self.service.failures == [], self.service.failures
            return len(self.pushes) >= count and list(self.pushes)

        return until(lambda: f"{self.name} has {count} pushes, not {len(self.pushes)}", check)


class PushService(Service):
    def __init__(self):
        self.browsers, self.strays = {}, []
        super().__init__()

    def browser(self, name):
        self.browsers[name] = Browser(self, name)
        return self.browsers[name]

    def answer(self, request):
        name = request.path.removeprefix("/secret-")
        if name not in self.browsers:
            self.strays.append(request.path)
            return 404, {}, b""
        browser, headers = self.browsers[name], request.headers
        assert request.command == "POST"
        if not request.body:
            assert headers["Content-Encoding"] is None
            self._vapid(headers["Authorization"])
            browser.wakings += 1
            return 201, {"Location": "/m/1"}, b""
        assert headers["Content-Encoding"] == "aes128gcm"
        assert 0 < int(headers["TTL"]) <= 86_400 and headers["Urgency"] == "high", headers
        assert re.fullmatch(r"[A-Za-z0-9]{1,32}", headers["Topic"]), headers["Topic"]
        assert len(request.body) <= 4096
        with self.lock:
            browser.pushes.append(Push(browser, headers, request.body, *self._vapid(headers["Authorization"])))
            status, said, body = browser.answers.pop(0) if browser.answers else (201, {"Location": "/m/1"}, b"")
            return status, said() if callable(said) else said, body

    def _vapid(self, authorization):
        """Who sends, judged by py-vapid and by PyJWT."""
        # It reads them without the space, which RFC 8292's own examples have.
        assert Vapid02.verify(authorization.replace(", ", ","))
        scheme, credentials = authorization.split(" ", 1)
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in credentials.split(","))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(parts["k"]))
        required = {"require": ["exp", "aud", "sub"]}
        claims = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=self.origin, options=required)
        assert time.time() < claims["exp"] <= time.time() + 86_400, claims
        assert claims["sub"] == "mailto:avis@cabinet.example", claims
        return claims, parts["k"]
