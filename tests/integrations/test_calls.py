"""The ways into a call: tokens for prosody and PyJWT, passwords for coturn; and the way out of it for what Jibri recorded."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import time

import jwt
import pytest
import socketio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from conftest import program
from peers.coturn import SECRET as TURN_SECRET
from peers.coturn import Coturn
from peers.xmpp import APP_ID, HOST, SECRET, Prosody

FINALIZE = pathlib.Path(__file__).parents[2] / "docs/deploy/jibri-finalize.sh"
JIBRI_TOKEN = b"a token of sixteen characters or more"
MP4 = b"\0\0\0\x18ftypisom\0\0\0\0isommp42 and then what was said"
JAAS = "vpaas-magic-cookie-0123456789abcdef"


def seat(person, call):
    return person.ask("POST", f"/calls/{call['id']}/join").expect(200).json()["jitsi"]


def called(home, client, juriste):
    """A call between two people."""
    path = f"/conversations/{client.conversation(juriste.id)}/calls"
    return juriste.ask("POST", path, {"media": "video"}).expect(201).json()


@pytest.fixture
def jitsi(house):
    return house(
        "--jitsi-url", f"https://{HOST}", "--jitsi-app-id", APP_ID, "--jitsi-secret-file", f"{SECRET}\n".encode()
    )  # fmt: skip


def test_a_token_opens_its_room_in_its_time_and_no_other_at_prosody(jitsi, tmp_path, needs):
    needs(prosody=program("prosody"))
    client, juriste, other = jitsi.sign_in("client1"), jitsi.sign_in("juriste1"), jitsi.sign_in("juriste2")
    call, elsewhere = called(jitsi, client, juriste), called(jitsi, jitsi.sign_in("client2"), other)
    own, theirs = seat(juriste, call), seat(other, elsewhere)
    assert own["room"] == seat(client, call)["room"] != theirs["room"]
    claims = jwt.decode(own["token"], SECRET, ["HS256"], audience="jitsi")

    def forged(secret=SECRET, headers=None, **changes):
        return jwt.encode(claims | changes, secret, "HS256", headers=headers)

    header, payload, signature = own["token"].split(".")
    now = int(time.time())
    (tmp_path / "prosody").mkdir()
    prosody = Prosody(tmp_path / "prosody")
    try:
        for token in (own["token"], seat(client, call)["token"], forged()):
            assert prosody.enter(token, own["room"]) == "joined", prosody.log()
        for what, token, room, door in (
            ("another room", own["token"], theirs["room"], "room"),
            ("any room", own["token"], "lex-any", "room"),
            ("somebody else's token", theirs["token"], own["room"], "room"),
            ("no token", None, own["room"], "door"),
            ("another secret", forged("x" * 36), own["room"], "door: signature-mismatch"),
            ("tampered", f"{header}.{payload[:-2]}AA.{signature}", own["room"], "door: signature-mismatch"),
            ("cut short", own["token"][:-1], own["room"], "door"),
            ("expired", forged(exp=now - 1), own["room"], "door: expired"),
            ("too early", forged(nbf=now + 60), own["room"], "door: too early"),
            ("another application's", forged(iss="other"), own["room"], "door: another issuer"),
            ("unsigned", jwt.encode(claims, None, "none"), own["room"], "door"),
            ("of another type", forged(headers={"typ": "at+jwt"}), own["room"], "door: not of the type"),
        ):
            assert prosody.enter(token, room).startswith(f"refused at the {door}"), (what, prosody.log())
    finally:
        prosody.stop()
    assert SECRET not in jitsi.log() and own["token"] not in jitsi.log()


def test_pyjwt_reads_in_a_token_who_may_do_what_until_when(jitsi):
    client, juriste = jitsi.sign_in("client1"), jitsi.sign_in("juriste1")
    call = called(jitsi, client, juriste)
    required = {"require": ["exp", "nbf", "aud", "iss", "sub", "room"]}
    for person, moderator in ((juriste, "true"), (client, "false")):
        token = seat(person, call)["token"]
        claims = jwt.decode(token, SECRET, ["HS256"], audience="jitsi", issuer=APP_ID, options=required)
        assert (claims["sub"], claims["context"]["user"]["moderator"]) == (HOST, moderator)
        assert claims["context"]["features"]["recording"] is False
        assert claims["nbf"] < time.time() and 0 < claims["exp"] - time.time() <= 2 * 3600
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, "another secret of thirty-two bytes!!", ["HS256"], audience="jitsi")


def test_8x8_is_shown_a_token_of_the_key_that_it_knows(house):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_id = f"{JAAS}/key1"
    home = house(
        "--jitsi-url", "https://8x8.vc", "--jitsi-app-id", JAAS, "--jitsi-key-file", key.private_bytes(*kind),
        "--jitsi-key-id", key_id,
    )  # fmt: skip
    client, juriste = home.sign_in("client1"), home.sign_in("juriste1")
    given = seat(juriste, called(home, client, juriste))
    assert jwt.get_unverified_header(given["token"]) == {"alg": "RS256", "typ": "JWT", "kid": key_id}
    claims = jwt.decode(given["token"], key.public_key(), ["RS256"], audience="jitsi", issuer="chat")
    assert claims["sub"] == JAAS and given["room"] == f"{JAAS}/{claims['room']}"
    assert "PRIVATE KEY" not in home.log()


def test_coturn_relays_for_who_is_in_a_call_until_the_password_ends(house, tmp_path, needs):
    needs(turnserver=program("turnserver"), turnutils_uclient=program("turnutils_uclient"))
    coturn = Coturn(tmp_path)
    try:
        server = f"turn:127.0.0.1:{coturn.port}?transport=udp"
        home = house("--ice-server", server, "--turn-secret-file", f"{TURN_SECRET}\n".encode())
        client, juriste = home.sign_in("client1"), home.sign_in("juriste1")
        call = called(home, client, juriste)
        with socketio.SimpleClient() as page:
            page.connect(
                f"http://127.0.0.1:{home.port}",
                namespace="/chat",
                auth={"token": juriste.token},
                transports=["polling"],
            )
            given = page.call("call:join", {"callId": call["id"], "seat": "one"})["direct"]["iceServers"]
        assert [it["urls"] for it in given] == [[server]], given
        username, credential = given[0]["username"], given[0]["credential"]
        ends_at, who = username.split(":")
        assert who == str(juriste.id) and 0 < int(ends_at) - time.time() <= 12 * 3600
        relays, said = coturn.relays_for(username, credential)
        assert relays, said

        def password(name, secret=TURN_SECRET):
            digest = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
            return base64.b64encode(digest).decode()

        # The same arithmetic makes what the server gave, so the refusals below are for the reason that they name.
        assert password(username) == credential
        expired = f"{int(time.time()) - 1}:{who}"
        for what, name, word in (
            ("expired", expired, password(expired)),
            ("somebody else's", f"{ends_at}:1", credential),
            ("for longer", f"{int(ends_at) + 3600}:{who}", credential),
            ("of another secret", username, password(username, "another secret")),
        ):
            relays, said = coturn.relays_for(name, word)
            assert not relays, (what, said)
        assert TURN_SECRET not in home.log() and credential not in home.log()
    finally:
        coturn.stop()


def test_jibris_finalize_script_brings_in_what_all_agreed_to_and_keeps_what_was_not_taken(house, tmp_path, needs):
    needs(curl=program("curl"), jq=program("jq"))
    home = house(
        "--jitsi-url", f"https://{HOST}", "--jitsi-app-id", APP_ID, "--jitsi-secret-file", f"{SECRET}\n".encode(),
        "--recordings", "consent", "--jibri-token-file", JIBRI_TOKEN,
    )  # fmt: skip
    client, juriste = home.sign_in("client1"), home.sign_in("juriste1")
    call = called(home, client, juriste)
    room = seat(juriste, call)["room"]
    assert room == seat(client, call)["room"]

    def finalize(session, token=JIBRI_TOKEN):
        """Runs the script as Jibri does; what it said where it failed, and whether the recording is still there."""
        folder, token_file = tmp_path / session, tmp_path / "token"
        folder.mkdir()
        token_file.write_bytes(token)
        (folder / f"{room}_2026-11-28-10-00-00.mp4").write_bytes(MP4)
        told = {"meeting_url": f"https://{HOST}/{room}", "participants": []}
        (folder / "metadata.json").write_text(json.dumps(told))
        given = {"CHAT_URL": f"http://127.0.0.1:{home.port}", "LEXCHAT_JIBRI_TOKEN_FILE": str(token_file)}
        ran = subprocess.run(
            ["sh", FINALIZE, folder], env={"PATH": os.environ["PATH"]} | given, capture_output=True, text=True, timeout=90
        )
        assert (ran.returncode == 0) == (not folder.exists()), ran
        return ran.stderr.strip(), folder.exists() and [it.name for it in folder.glob("*.mp4")] != []

    def recording():
        return client.ask("GET", f"/calls/{call['id']}").expect(200).json()["recording"]

    assert finalize("unasked") == ("", False), "nobody was asked: it goes"
    assert recording()["state"] == "off"
    juriste.ask("POST", f"/calls/{call['id']}/recording", {"ask": True}).expect(200)
    client.ask("POST", f"/calls/{call['id']}/recording", {"consent": True}).expect(200)
    said, stays = finalize("forged", b"another token of sixteen characters")
    assert "answered 401" in said and stays
    assert recording()["attachmentId"] is None
    assert finalize("agreed") == ("", False)
    stored = recording()
    assert stored["state"] == "stored"
    file = client.ask("GET", f"/attachments/{stored['attachmentId']}/x.mp4").expect(200)
    assert (file.body, file.headers["Content-Type"]) == (MP4, "video/mp4")
    assert finalize("agreed") == ("", False), "the same session again"
    assert home.rows("SELECT count(*) FROM attachments") == [(1,)]
    said, stays = finalize("another")
    assert "answered 409" in said and stays, "one recording of a call"
    assert JIBRI_TOKEN.decode() not in home.log()
