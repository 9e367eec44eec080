"""FCM as Google describes it: a token service that checks assertions, and messages:send that takes what the discovery
document of the official Python client allows and nothing else.

The registration names what goes wrong; behind `once-` it goes wrong once.
"""

import json
import pathlib
import time
import urllib.parse

import googleapiclient.discovery_cache
import jsonschema
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from house import until
from peers.web import Service

PROJECT, EMAIL, KEY_ID = "cabinet-1", "push@cabinet-1.iam.gserviceaccount.com", "key1"
GOOGLE = "https://oauth2.googleapis.com/token"
SCOPES = {f"https://www.googleapis.com/auth/{name}" for name in ("firebase.messaging", "cloud-platform")}
DOCUMENT = pathlib.Path(googleapiclient.discovery_cache.__file__).parent / "documents" / "fcm.v1.json"
DESCRIBED = json.loads(DOCUMENT.read_text())["schemas"]


def strict(name):
    """The schema of a message of the API, with everything else forbidden."""

    def closed(node):
        if "$ref" in node:
            return {"$ref": f"#/$defs/{node['$ref']}"}
        kind = node.get("type")
        if kind == "any":
            return {}
        made = {"type": kind}
        if "enum" in node:
            made["enum"] = node["enum"]
        if node.get("format") == "google-duration":
            made["pattern"] = r"^\d+(\.\d{1,9})?s$"
        if kind == "array":
            made["items"] = closed(node["items"])
        if kind == "object":
            made["properties"] = {key: closed(value) for key, value in node.get("properties", {}).items()}
            extra = node.get("additionalProperties")
            made["additionalProperties"] = closed(extra) if isinstance(extra, dict) else False
        return made

    return {"$ref": f"#/$defs/{name}", "$defs": {key: closed(value) for key, value in DESCRIBED.items()}}


VALIDATOR = jsonschema.Draft202012Validator(strict("SendMessageRequest"))


def faults(body):
    """What is wrong with a request, in words; nothing is for a good one."""
    found = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in VALIDATOR.iter_errors(body)]
    if sum(key in body.get("message", {}) for key in ("token", "fid", "topic", "condition")) != 1:
        found.append("not exactly one recipient")
    return found


def camel(node):
    """proto3's JSON also takes names with underscores, which the official Python library sends."""
    if isinstance(node, list):
        return [camel(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {"data", "headers", "payload", "aps"}
    renamed = {}
    for key, value in node.items():
        first, *words = key.split("_")
        renamed[first + "".join(word.capitalize() for word in words)] = value if key in kept else camel(value)
    if isinstance(renamed.get("priority"), str):
        renamed["priority"] = renamed["priority"].upper()
    return renamed


def error(code, status, fcm=None, fields=()):
    details = []
    if fcm:
        details.append({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": fcm})
    if fields:
        violations = [{"field": field, "description": "Invalid value"} for field in fields]
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations})
    said = {"code": code, "message": "as asked for", "status": status, "details": details}
    return code, json.dumps({"error": said}).encode()


WRONG = {
    "gone": error(404, "NOT_FOUND", "UNREGISTERED"),
    "quota": error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    "sender": error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
    "malformed": error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    "internal": error(500, "INTERNAL", "INTERNAL"),
    "unavailable": error(503, "UNAVAILABLE", "UNAVAILABLE"),
    "third": error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
}


class Fcm(Service):
    """`messages` that came, `assertions` that were exchanged."""

    def __init__(self):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.pem, self.public_key = key.private_bytes(*kind).decode(), key.public_key()
        self.messages, self.assertions, self.went_wrong, self.token = [], [], set(), 0
        super().__init__()

    def account(self):
        """The file of a service account."""
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": KEY_ID,
            "private_key": self.pem,
            "client_email": EMAIL,
            "token_uri": f"{self.origin}/token",
        }

    def end_tokens(self):
        """No token that was given is good any more."""
        self.token += 1

    def to(self, registration):
        return [it for it in self.messages if registration in (it.get("token"), it.get("fid"))]

    def got(self, registration, count=1):
        def check():
            assert self.failures == [], self.failures
            return len(self.to(registration)) >= count and self.to(registration)

        return until(lambda: f"{count} messages for {registration}: {len(self.to(registration))}", check)

    def answer(self, request):
        if request.path == "/token":
            return self._grant(request)
        assert request.path == f"/v1/projects/{PROJECT}/messages:send", request.path
        return self._send(request)

    def _grant(self, request):
        form = urllib.parse.parse_qs(request.body.decode(), strict_parsing=True)
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"], form
        assertion, required = form["assertion"][0], {"require": ["iss", "iat", "exp", "aud", "scope"]}
        audience = [f"{self.origin}/token", GOOGLE]
        try:
            claims = jwt.decode(
                assertion, self.public_key, ["RS256"], audience=audience, issuer=EMAIL, options=required
            )
        except jwt.PyJWTError as wrong:
            return 400, {}, json.dumps({"error": "invalid_grant", "error_description": str(wrong)}).encode()
        assert claims["exp"] - claims["iat"] <= 3600 and abs(claims["iat"] - time.time()) < 60, claims
        # The documented scope, or the wider one that Google's own library asks for.
        assert SCOPES & set(claims["scope"].split()), claims
        assert jwt.get_unverified_header(assertion) == {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        self.assertions.append(claims)
        granted = {"access_token": f"ya29.{self.token}", "expires_in": 3599, "token_type": "Bearer"}
        return 200, {}, json.dumps(granted).encode()

    def _send(self, request):
        if request.headers["Authorization"] != f"Bearer ya29.{self.token}":
            code, body = error(401, "UNAUTHENTICATED")
            return code, {}, body
        read = camel(json.loads(request.body))
        found = faults(read)
        assert found == [] and len(request.body) <= 4096, found
        message = read["message"]
        self.messages.append(message)
        to = message.get("token") or message.get("fid")
        for name, (code, body) in WRONG.items():
            if name in to and not ("once-" in to and to in self.went_wrong):
                self.went_wrong.add(to)
                return code, {"Retry-After": "30"} if name == "unavailable" else {}, body
        return 200, {}, json.dumps({"name": f"projects/{PROJECT}/messages/{len(self.messages)}"}).encode()
