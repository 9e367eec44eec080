"""Pushes to browsers, read with http_ece and judged by PyJWT and py-vapid: each answer of a service has its meaning."""

import email.utils
import socket
import time

import pytest

from house import free_port, tells_nothing, until
from peers.push import PushService

CONTACT = ("--push-contact", "avis@cabinet.example", "--push-after", "0")


@pytest.fixture
def service():
    with_browsers = PushService()
    yield with_browsers
    with_browsers.close()


def subscribed(home, service, who="juriste2", name="one", origin=None):
    """Somebody, and their browser."""
    person, browser = home.sign_in(who), service.browser(name)
    browser.id = person.register(browser.device(origin))
    return person, browser


def test_a_push_is_read_by_the_browser_alone_and_says_nothing_of_what_was_said(house, service):
    home = house("--push-host", service.origin, *CONTACT)
    client, other, admin = home.sign_in("client1"), home.sign_in("client2"), home.sign_in("admin")
    juriste, browser = subscribed(home, service)
    conversation_id = client.say(7, "bref")
    browser.got(1)
    home.sent(7)
    client.say(7, "Un canari chante, " * 50)
    browser.got(2)
    other.say(7)
    first, second, third = browser.got(3)
    for push in (first, second, third):
        assert set(push.shown) == {"kind", "tag", "title", "body", "url"}, push.shown
        assert push.shown["kind"] == "messages" and push.shown["url"] == "/"
        assert push.shown["body"] == "Vous avez un nouveau message"
        tells_nothing(push.plain)
        assert push.key == juriste.settings()["available"]["webPush"]["publicKey"]
    assert first.topic == second.topic != third.topic, (
        "a newer one takes the place of the one about the same conversation"
    )
    assert first.length == second.length == third.length, "the length tells nothing"
    assert first.headers["Authorization"] == second.headers["Authorization"], "one token for hours"
    assert juriste.devices()[0]["lastUsedAt"]
    # What has arrived but is not written down as sent is sent once more after a kill.
    home.sent(7)
    juriste.read(conversation_id)
    home.kill()
    home.start()
    client.say(7)
    fourth = browser.got(4)[3]
    assert (fourth.key, fourth.topic) == (first.key, first.topic), "the key stays, or every subscription would be dead"
    assert len(browser.pushes) == 4 and not service.strays
    for path in ("/admin/deliveries", "/notifications/devices"):
        assert "secret-" not in admin.ask("GET", path).text()
    assert "secret-" not in home.log(), "an endpoint is a secret of the device"
    home.tells_nothing(admin)


def test_the_keys_of_pushes_stay_when_the_other_keys_are_made_anew(house, service):
    home = house("--push-host", service.origin, *CONTACT)
    juriste, browser = subscribed(home, service)
    conversation_id = home.sign_in("client1").say(7)
    first = browser.got(1)[0]
    home.sent(7)
    juriste.read(conversation_id)
    home.kill()
    home.run("rotate-keys")
    home.start()
    juriste.ask("GET", "/users/me").expect(401)
    home.sign_in("client1").say(7)
    second = browser.got(2)[1]
    assert (second.key, second.topic) == (first.key, first.topic)
    assert second.key == home.sign_in("juriste2").settings()["available"]["webPush"]["publicKey"]


def test_a_call_rings_without_saying_who_calls_and_is_replaced_by_what_became_of_it(house, service):
    home = house("--push-host", service.origin, *CONTACT)
    client, admin = home.sign_in("client1"), home.sign_in("admin")
    juriste, browser = subscribed(home, service)
    path = f"/conversations/{client.conversation(juriste.id)}/calls"
    call = client.ask("POST", path, {"media": "video"}).expect(201).json()
    assert call["reachable"] is True
    browser.got(1)
    client.ask("POST", f"/calls/{call['id']}/leave").expect(200)
    rings, missed = browser.got(2)
    assert [push.shown["kind"] for push in (rings, missed)] == ["call", "missed-call"]
    assert [push.shown["body"] for push in (rings, missed)] == ["Appel entrant", "Appel manqué"]
    assert 0 < int(rings.headers["TTL"]) <= 45 < int(missed.headers["TTL"])
    assert rings.topic == missed.topic and rings.length == missed.length
    client.say(7)
    message = browser.got(3)[2]
    assert (message.shown["kind"], message.topic == rings.topic) == ("messages", False)
    for push in (rings, missed, message):
        tells_nothing(push.plain)
    assert len(browser.pushes) == 3, "nobody is told twice of a missed call"
    home.tells_nothing(admin)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"code": 404, "errno": 103}),
        (410, b""),
        (403, {"reason": "VapidPkHashMismatch"}),
        (403, b"the VAPID credentials in the authorization header do not correspond to the credentials used"),
    ],
)
def test_a_device_that_is_gone_is_forgotten_and_the_others_go_on(house, service, status, body):
    home = house("--push-host", service.origin, *CONTACT)
    client = home.sign_in("client1")
    juriste, gone = subscribed(home, service)
    there = service.browser("two")
    juriste.register(there.device())
    gone.will_answer(status, body=body)
    client.say(7)
    gone.got(1)
    until("its owner sees it", lambda: {it["id"]: it["goneAt"] is not None for it in juriste.devices()}[gone.id])
    there.got(1)
    assert [it["goneAt"] for it in juriste.devices() if it["id"] != gone.id] == [None]
    client.say(7)
    there.got(2)
    client.say(7)
    there.got(3)
    assert len(gone.pushes) == 1
    assert home.rows("SELECT count(*) FROM devices WHERE address IS NULL") == [(1,)]
    # The same browser subscribes anew.
    juriste.register(gone.device())
    client.say(7)
    gone.got(2)


def test_a_service_that_asks_for_time_gets_it(house, service):
    home = house("--push-host", service.origin, *CONTACT)
    client = home.sign_in("client1")
    _, seconds = subscribed(home, service, "juriste2", "seconds")
    _, date = subscribed(home, service, "juriste3", "date")
    _, silent = subscribed(home, service, "juriste4", "silent")
    seconds.will_answer(429, {"Retry-After": "3"})
    date.will_answer(503, lambda: {"Retry-After": email.utils.formatdate(time.time() + 5, usegmt=True)})
    silent.will_answer(429)
    for who in (7, 8, 9):
        client.say(who)
    assert 55 < home.put_off(9)["pause"] <= 61
    for browser, least, who in ((seconds, 3, 7), (date, 3.5, 8)):
        first, second = browser.got(2)
        assert least <= second.at - first.at < 30, browser.name
        assert second.plain == first.plain
        assert home.sent(who)["attempts"] == 2
        assert len(browser.pushes) == 2
    assert len(silent.pushes) == 1


def test_what_a_service_says_of_us_is_shown_and_costs_nobody_a_device(house, service):
    home = house("--push-host", service.origin, *CONTACT)
    client, admin = home.sign_in("client1"), home.sign_in("admin")
    juriste, browser = subscribed(home, service)
    browser.will_answer(401, body={"code": 401, "errno": 109, "message": "Invalid VAPID audience"})
    client.say(7)
    waiting = home.put_off(7)
    assert "401" in waiting["reason"] and waiting["pause"] <= 10
    status = admin.ask("GET", "/admin/status").expect(200).json()
    assert any("401" in check["text"] for check in status["checks"] if check["check"] == "deliveries"), status["checks"]
    browser.got(2)
    home.sent(7)
    for number, (status, body) in enumerate(((400, {"errno": 113}), (301, b""), (308, b""))):
        browser.will_answer(status, {"Location": f"{service.origin}/elsewhere"}, body)
        client.say(7)
        browser.got(3 + number)
        failed = home.delivery(7, f"{status} is given up", lambda it: it["state"] == "failed")
        assert failed["attempts"] == 1
        home.rows("DELETE FROM outbox WHERE user_id = 7")
    assert service.strays == [], "nobody is led elsewhere"
    assert juriste.devices()[0]["goneAt"] is None
    client.say(7)
    browser.got(6)


def test_a_service_that_finds_a_push_too_large_is_handed_one_that_says_nothing(house, service):
    home = house("--push-host", service.origin, *CONTACT)
    client = home.sign_in("client1")
    juriste, browser = subscribed(home, service)
    browser.will_answer(413)
    client.say(7)
    until("the browser is woken all the same", lambda: browser.wakings == 1)
    assert home.sent(7)["attempts"] == 1
    client.say(7)
    browser.got(2)
    assert browser.wakings == 1 and juriste.devices()[0]["goneAt"] is None


def test_a_host_that_is_dead_or_says_nothing_is_left_alone_for_longer_and_longer_and_stops_nobody(house, service):
    dead = f"http://127.0.0.1:{free_port()}"
    with socket.create_server(("127.0.0.1", 0), backlog=64) as mute:
        silent = f"http://127.0.0.1:{mute.getsockname()[1]}"
        home = house("--push-host", f"{service.origin},{dead},{silent}", *CONTACT)
        client = home.sign_in("client1")
        _, alive = subscribed(home, service, "juriste2", "alive")
        subscribed(home, service, "juriste3", "dead", dead)
        subscribed(home, service, "juriste4", "silent", silent)
        client.say(9)
        until("somebody is at it", lambda: [it for it in home.deliveries(9) if it["attempts"] == 1])
        client.say(8)
        first = home.put_off(8)
        assert 0 < first["pause"] <= 10
        for number in range(1, 6):
            client.say(7)
            alive.got(number)
            if number == 1:
                assert home.deliveries(9)[0]["reason"] is None, "nobody waits for what says nothing still"
        again = home.delivery(8, "it was tried again", lambda it: it["attempts"] > 1 and it["state"] == "waiting")
        assert again["id"] == first["id"]
        assert 0 < home.put_off(9)["pause"] <= 10
