"""Mail to relays by aiosmtpd and to a real postfix: once, again when it should be, silent about what was said."""

import os
import time

import pytest

from conftest import program
from house import free_port, tells_nothing
from peers.postfix import MARIE, Postfix
from peers.postfix import USER as POSTFIX_USER
from peers.relay import PASSWORD, USER, Relays

FROM = ("--mail-from", "Cabinet Dupré & Associés <avis@cabinet.example>", "--mail-after", "0")


def relay(port, scheme="smtp", user=None):
    return ("--smtp", f"{scheme}://{f'{user}@' if user else ''}localhost:{port}", *FROM)


def well_made(mail):
    """A mail as every reader expects it."""
    assert mail.kind == "multipart/alternative" and mail.defects == []
    assert set(mail.bodies) == {"text/plain", "text/html"}
    for body in mail.bodies.values():
        assert "un message vous attend" in body
    assert "http" not in mail.bodies["text/html"].replace("http://127.0.0.1:", "").replace("http://www.w3.org/", "")
    headers = mail.headers
    assert headers["From"].addresses[0].display_name == "Cabinet Dupré & Associés"
    assert headers["From"].addresses[0].addr_spec == "avis@cabinet.example"
    assert len(headers["To"].addresses) == 1 and headers["Cc"] is None and headers["Bcc"] is None
    assert abs(headers["Date"].datetime.timestamp() - time.time()) < 120
    assert headers["Message-ID"].endswith("@cabinet.example>")
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["In-Reply-To"] and headers["References"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    tells_nothing(mail.everything())


@pytest.mark.parametrize(("scheme", "kind"), [("smtp", "starttls"), ("smtps", "implicit")])
def test_a_notice_reaches_a_relay_that_wants_tls_and_a_password(house, loop, authority, scheme, kind):
    relays = Relays(loop, authority)
    ca, password = authority.cert_pem.bytes(), f"{PASSWORD}\n".encode()
    home = house(*relay(relays.ports[kind], scheme, USER), "--smtp-password-file", password, "--extra-ca", ca)
    client, admin = home.sign_in("client1"), home.sign_in("admin")
    client.say(7)
    mail = relays.first("juriste2@example.com")[0]
    assert (mail.relay, mail.is_encrypted, mail.user, mail.sender) == (kind, True, USER, "avis@cabinet.example")
    well_made(mail)
    home.sent(7)
    client.say(7)
    client.say(8)
    well_made(relays.first("juriste3@example.com")[0])
    assert len(relays.to("juriste2@example.com")) == 1, "the next one only after something was read"
    home.tells_nothing(admin)


@pytest.mark.parametrize(
    ("what", "scheme", "kind", "password", "is_known", "reason"),
    [
        ("a wrong password", "smtp", "starttls", "wrong", True, "535"),
        ("a wrong password", "smtps", "implicit", "wrong", True, "535"),
        ("no password", "smtp", "starttls", None, True, "530"),
        ("an unknown authority", "smtps", "implicit", PASSWORD, False, "certificate"),
        ("TLS too early", "smtps", "starttls", PASSWORD, True, ""),
    ],
)
def test_who_is_set_up_wrong_hands_over_nothing_says_so_and_goes_on_trying(
    house, loop, authority, what, scheme, kind, password, is_known, reason
):
    relays = Relays(loop, authority)
    flags = [*relay(relays.ports[kind], scheme, USER if password else None)]
    flags += ["--smtp-password-file", password.encode()] if password else []
    flags += ["--extra-ca", authority.cert_pem.bytes()] if is_known else []
    home = house(*flags)
    client, admin = home.sign_in("client1"), home.sign_in("admin")
    client.say(7)
    waiting = home.put_off(7)
    assert reason in waiting["reason"], waiting
    assert 0 < waiting["pause"] <= 60 and relays.mails == []
    shown = [it for it in admin.ask("GET", "/admin/status").json()["checks"] if it["check"] == "deliveries"]
    assert len(shown) == 1 and shown[0]["verdict"] == "warning" and reason in shown[0]["text"], shown
    assert home.sign_in("juriste2").settings()["emailAddress"] == "confirmed", "the address is sound"
    home.tells_nothing(admin)


# The local part says what goes wrong; the shortest and longest pause before the next try; the copies that arrive.
LATER = [
    ("once-rcpt-450", (295, 301), 1),
    ("once-rcpt-421", (295, 301), 1),
    ("once-rcpt-452", (0, 60), 1),
    ("once-rcpt-552", (0, 60), 1),
    ("once-rcpt-drop", (0, 60), 1),
    ("once-rcpt-relay", (0, 60), 1),
    ("once-final-451", (0, 60), 1),
    ("once-final-drop", (0, 60), 2),
]


def test_what_a_relay_does_not_take_now_it_gets_later_and_once(house, loop):
    relays = Relays(loop)
    home = house(*relay(relays.ports["clear"]))
    client, admin, juriste = home.sign_in("client1"), home.sign_in("admin"), home.sign_in("juriste1")
    # Nobody hurries this one: it comes by itself.
    home.move(10, "once-rcpt-451@cabinet.example")
    client.say(10)
    assert 0 < home.put_off(10)["pause"] <= 60
    for number, (name, (least, most), copies) in enumerate(LATER):
        who = 7 + number % 3
        address = f"{name}@cabinet.example"
        home.move(who, address)
        home.rows("DELETE FROM outbox WHERE user_id = ?", who)
        home.rows("DELETE FROM notice_marks WHERE user_id = ?", who)
        client.say(who)
        waiting = home.put_off(who)
        assert least < waiting["pause"] <= most, (name, waiting)
        admin.hurry(waiting)
        sent = home.sent(who)
        assert (sent["attempts"], sent["id"]) == (2, waiting["id"]), name
        mails = relays.first(address)
        assert len(mails) == copies, name
        # Where the connection ended behind the last byte nobody knows; whoever has both sees that they are one.
        assert len({mail.headers["Message-ID"] for mail in mails}) == 1, name
        well_made(mails[0])
    assert juriste.settings()["emailAddress"] == "confirmed"
    home.sent(10)
    assert len(relays.to("once-rcpt-451@cabinet.example")) == 1
    assert home.rows("SELECT count(*) FROM users WHERE email_failed_at IS NOT NULL") == [(0,)]
    home.tells_nothing(admin)


def test_what_a_relay_never_takes_is_given_up_and_only_a_dead_address_is_left_alone(house, loop):
    relays = Relays(loop)
    home = house(*relay(relays.ports["clear"]))
    client, admin = home.sign_in("client1"), home.sign_in("admin")
    for who, name, is_dead in ((7, "rcpt-550", True), (8, "final-554", False)):
        person = home.sign_in(f"juriste{who - 5}")
        home.move(who, f"{name}@cabinet.example")
        conversation_id = client.say(who)
        failed = home.delivery(who, "given up", lambda it: it["state"] == "failed")
        assert failed["attempts"] == 1 and "@cabinet" not in failed["reason"].replace("…@cabinet", ""), failed
        assert person.settings()["emailAddress"] == ("failed" if is_dead else "confirmed")
        person.read(conversation_id)
        client.say(who)
        if not is_dead:
            home.delivery(who, "a second one", lambda it: it["state"] == "failed" and len(home.deliveries(8)) == 2)
    # The relay got one after those: what was to come for the dead address would have come before it.
    client.say(9)
    relays.first("juriste4@example.com")
    assert len(home.deliveries(7)) == 1
    assert [mail.to for mail in relays.mails] == ["juriste4@example.com"]
    home.tells_nothing(admin)


def test_a_relay_that_takes_nothing_from_this_sender_blames_nobody_else(house, loop):
    relays = Relays(loop)
    for name, is_shown in (("once-mail-451", "451"), ("once-mail-553", "553")):
        home = house(
            "--smtp", f"smtp://127.0.0.1:{relays.ports['clear']}", *FROM[2:], "--mail-from", f"{name}@cabinet.example"
        )
        home.sign_in("client1").say(7)
        waiting = home.put_off(7)
        assert waiting["pause"] <= 60 and is_shown in waiting["reason"], waiting
        home.sign_in("admin").hurry(waiting)
        home.sent(7)
        assert home.rows("SELECT count(*) FROM users WHERE email_failed_at IS NOT NULL") == [(0,)]


def test_a_relay_that_is_too_busy_or_away_is_asked_again(house, loop):
    relays = Relays(loop)
    home = house(*relay(relays.ports["busy"]))
    client, admin = home.sign_in("client1"), home.sign_in("admin")
    client.say(7)
    waiting = home.put_off(7)
    assert 295 < waiting["pause"] <= 301 and "421" in waiting["reason"]
    admin.hurry(waiting)
    relays.first("juriste2@example.com")
    away = house(*relay(free_port()))
    client, admin = away.sign_in("client1"), away.sign_in("admin")
    client.say(7)
    first = away.put_off(7)
    assert first["pause"] <= 60
    admin.hurry(first)
    second = away.put_off(7, attempts=2)
    assert second["id"] == first["id"] and second["pause"] <= 120


def test_one_press_ends_mail_about_messages_for_good_and_nothing_else(house, loop):
    relays = Relays(loop)
    home = house(*relay(relays.ports["clear"]))
    client, admin, juriste = home.sign_in("client1"), home.sign_in("admin"), home.sign_in("juriste2")
    conversation_id = client.say(7)
    mail = relays.first("juriste2@example.com")[0]
    address = mail.headers["List-Unsubscribe"].strip()
    assert address.startswith("<http://127.0.0.1:") and address.endswith(">") and "," not in address
    path = "/" + address.strip("<>").split("/", 3)[3]
    assert path in mail.bodies["text/plain"] and path in mail.bodies["text/html"]
    # Scanners open every link, which ends nothing; nobody is signed in, and there are no cookies.
    assert home.ask("GET", path).expect(200).headers.get_content_type() == "text/html"
    assert juriste.settings()["email"] == "10m"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        home.ask("POST", path, b"List-Unsubscribe=One-Click", form).expect(200)
    assert juriste.settings()["email"] == "never"
    home.ask("POST", path[:-4] + "0000", b"List-Unsubscribe=One-Click", form).expect(404)
    juriste.read(conversation_id)
    client.say(7)
    client.say(8)
    relays.first("juriste3@example.com")
    assert len(relays.to("juriste2@example.com")) == 1
    home.ask("POST", "/auth/forgot-password", {"email": "juriste2@example.com"}).expect(202)
    mails = relays.first("juriste2@example.com", 2)
    assert mails[1].headers["List-Unsubscribe"] is None and "/mot-de-passe/" in mails[1].bodies["text/plain"]
    home.tells_nothing(admin)


def test_a_real_mta_delivers_what_it_was_handed_and_refuses_the_rest(house, authority, tmp_path, needs):
    needs(root=os.geteuid() == 0, postfix=program("postfix"), saslpasswd2=program("saslpasswd2"))
    (tmp_path / "postfix").mkdir()
    postfix = Postfix(tmp_path / "postfix", authority)
    try:
        address = relay(postfix.port, user=POSTFIX_USER)
        ca = ("--extra-ca", authority.cert_pem.bytes())
        home = house(*address, *ca, "--smtp-password-file", PASSWORD.encode())
        client, admin, juriste = home.sign_in("client1"), home.sign_in("admin"), home.sign_in("juriste2")
        home.move(7, MARIE)
        conversation_id = client.say(7)
        mail = postfix.delivered()[0]
        well_made(mail)
        received = mail.headers["Received"]
        assert "TLSv1.3" in received and "ESMTPSA" in received, received
        juriste.read(conversation_id)
        client.say(7)
        mails = postfix.delivered(2)
        assert mails[0].headers["Message-ID"] != mails[1].headers["Message-ID"]
        assert mails[0].headers["In-Reply-To"] == mails[1].headers["In-Reply-To"], "one thread"

        home.move(8, "nobody@client.example")
        client.say(8)
        assert "550" in home.delivery(8, "nobody is there", lambda it: it["state"] == "failed")["reason"]
        assert home.rows("SELECT email_failed_at IS NOT NULL FROM users WHERE id = 8") == [(1,)]
        home.move(9, "marie@elsewhere.example")
        client.say(9)
        home.tells_nothing(admin)
        wrong = house(*address, *ca, "--smtp-password-file", b"wrong")
        wrong.sign_in("client1").say(7)
        assert "535" in wrong.put_off(7)["reason"]
        tells_nothing(postfix.log())
    finally:
        postfix.stop()


def test_the_canary_would_be_found(house, loop):
    relays = Relays(loop)
    home = house(*relay(relays.ports["clear"]), "--notify-detail", "preview")
    home.sign_in("juriste2").ask("PATCH", "/notifications/settings", {"detail": "preview"}).expect(200)
    home.sign_in("client1").say(7)
    mail = relays.first("juriste2@example.com")[0]
    with pytest.raises(AssertionError):
        tells_nothing(mail.everything())
    assert "Un canari chante" in mail.bodies["text/plain"]
