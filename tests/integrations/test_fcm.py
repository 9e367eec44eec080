"""Pushes to apps by FCM, as Google's discovery document describes it and Google's own library speaks it."""

import json

import firebase_admin
import pytest
from firebase_admin import credentials, exceptions, messaging

from house import tells_nothing, until
from peers.fcm import PROJECT, Fcm, faults


@pytest.fixture
def fcm():
    service = Fcm()
    yield service
    service.close()


def flags(fcm, account=None):
    file = json.dumps(account or fcm.account()).encode()
    return ("--fcm-account", file, "--fcm-api", fcm.origin, "--push-after", "0")


def registration(name):
    return f"cDEFabcdefghijklmnopqr:APA91b-{name}-0123456789"


def registered(home, who, name):
    """Somebody with an app."""
    person = home.sign_in(who)
    person.app = person.register({"kind": "fcm", "registration": registration(name), "name": "Android"})
    return person


def test_the_service_is_what_google_describes_and_what_googles_library_understands(fcm, monkeypatch):
    for wrong in (
        {"mesage": {}},
        {"message": {"token": "x", "android": {"priority": "LOUD"}}},
        {"message": {"token": "x", "data": {"a": 1}}},
        {"message": {"token": "x", "android": {"ttl": "60"}}},
        {"message": {"token": "x", "android": {"notification": {"visability": "PRIVATE"}}}},
        {"message": {"token": "x", "fid": "y"}},
        {"message": {"android": {"priority": "HIGH"}}},
    ):
        assert faults(wrong), wrong
    assert faults({"message": {"token": "x", "android": {"priority": "HIGH", "ttl": "60s"}}}) == []

    url = fcm.origin + "/v1/projects/{0}/messages:send"
    monkeypatch.setattr(messaging._MessagingService, "FCM_URL", url)
    app = firebase_admin.initialize_app(credentials.Certificate(fcm.account()), {"httpTimeout": 10})

    def send(to):
        notification = messaging.AndroidNotification(tag="t", channel_id="messages")
        android = messaging.AndroidConfig(priority="high", ttl=60, collapse_key="messages", notification=notification)
        shown = messaging.Notification("a", "b")
        return messaging.send(messaging.Message(notification=shown, data={"x": "y"}, token=to, android=android))

    try:
        assert send("a" * 20) == f"projects/{PROJECT}/messages/1"
        for to, expected in (
            ("gone", messaging.UnregisteredError),
            ("sender", messaging.SenderIdMismatchError),
            ("third", messaging.ThirdPartyAuthError),
            ("malformed", exceptions.InvalidArgumentError),
        ):
            with pytest.raises(expected):
                send(to * 5)
    finally:
        firebase_admin.delete_app(app)


def test_an_app_is_told_that_something_waits_and_nothing_of_it(house, fcm):
    home = house(*flags(fcm))
    client, other, admin = home.sign_in("client1"), home.sign_in("client2"), home.sign_in("admin")
    juriste = registered(home, "juriste2", "good")
    juriste.register({"kind": "fcm", "registration": "cDEFabcdefghijklmnopqr", "name": "An installation"})
    client.say(7)
    first = fcm.got(registration("good"))[0]
    installation = fcm.got("cDEFabcdefghijklmnopqr")[0]
    assert "fid" in installation and "token" in first
    other.say(7)
    second = fcm.got(registration("good"), 2)[1]
    for message in (first, second, installation):
        tells_nothing(json.dumps(message, ensure_ascii=False))
        assert message["android"]["priority"] == "HIGH"
        assert message["android"]["notification"]["visibility"] == "PRIVATE"
        assert 0 < int(message["android"]["ttl"].removesuffix("s")) <= 86_400
        assert message["notification"]["body"] == "Vous avez un nouveau message"
    tags = [message["android"]["notification"]["tag"] for message in (first, second, installation)]
    assert tags[0] != tags[1] and tags[0] == tags[2], "one notice for each conversation"
    assert first["android"]["collapseKey"] == second["android"]["collapseKey"], "of which Google keeps four"
    assert len(fcm.assertions) == 1, "one token for all"
    fcm.end_tokens()
    client.say(7)
    fcm.got(registration("good"), 3)
    assert len(fcm.assertions) == 2, "a new one when it is refused"
    until("all is told once", lambda: {it["state"] for it in home.deliveries(7)} == {"sent"})
    assert len(fcm.messages) == 6
    home.tells_nothing(admin)


def test_an_app_is_told_once_that_what_it_shows_was_read_or_rings_no_more(house, fcm):
    home = house(*flags(fcm))
    client = home.sign_in("client1")
    juriste = registered(home, "juriste2", "good")
    conversation_id = client.say(7)
    shown = fcm.got(registration("good"))[0]
    home.sent(7)
    juriste.read(conversation_id)
    juriste.read(conversation_id)
    taken_back = fcm.got(registration("good"), 2)[1]
    assert taken_back["data"] == {"kind": "cancel", "tag": shown["android"]["notification"]["tag"]}
    assert "notification" not in taken_back and "notification" not in taken_back["android"], "it shows nothing"
    call = client.ask("POST", f"/conversations/{conversation_id}/calls", {"media": "audio"}).expect(201).json()
    rings = fcm.got(registration("good"), 3)[2]
    assert rings["android"]["notification"]["channelId"] == rings["android"]["collapseKey"] == "calls"
    assert (rings["notification"]["body"], rings["data"]["kind"]) == ("Appel entrant", "call")
    assert 0 < int(rings["android"]["ttl"].removesuffix("s")) <= 45
    home.sent(7)
    home.sign_in("juriste2").ask("POST", f"/calls/{call['id']}/decline").expect(200)
    silenced = fcm.got(registration("good"), 4)[3]
    assert silenced["data"] == {"kind": "cancel", "tag": rings["android"]["notification"]["tag"]}
    tells_nothing(json.dumps([taken_back, rings, silenced], ensure_ascii=False))
    until("all has left", lambda: {it["state"] for it in home.deliveries(7)} == {"sent"})
    assert len(fcm.messages) == 4


def test_each_answer_of_google_has_its_meaning(house, fcm):
    home = house(*flags(fcm))
    client = home.sign_in("client1")
    gone = [(7, "juriste2", "gone"), (8, "juriste3", "malformed"), (9, "juriste4", "sender")]
    for who, name, answer in gone:
        person = registered(home, name, answer)
        client.say(who)
        fcm.got(registration(answer))
        until("its owner sees it", lambda person=person: person.devices()[0]["goneAt"])
        client.say(who)
    later = [("once-unavailable", 30, 31), ("once-internal", 10, 11), ("once-quota", 60, 61), ("once-third", 0, 11)]
    for name, least, most in later:
        person = registered(home, "juriste5", name)
        client.say(10)
        waiting = home.put_off(10)
        assert least - 5 < waiting["pause"] <= most, (name, waiting)
        home.sign_in("admin").hurry(waiting)
        assert home.sent(10)["attempts"] == 2
        assert len(fcm.got(registration(name), 2)) == 2
        assert person.devices()[0]["goneAt"] is None
        person.ask("DELETE", f"/notifications/devices/{person.app}").expect(200, 204)
    for _, _, answer in gone:
        assert len(fcm.to(registration(answer))) == 1, answer


def test_a_wrong_key_is_shown_to_the_administrator_and_costs_nobody_a_device(house, fcm):
    other = Fcm()
    try:
        home = house(*flags(fcm, fcm.account() | {"private_key": other.pem}))
        client, admin, juriste = home.sign_in("client1"), home.sign_in("admin"), registered(home, "juriste2", "good")
        client.say(7)
        waiting = home.put_off(7)
        assert "invalid_grant" in waiting["reason"] and waiting["pause"] <= 10
        checks = admin.ask("GET", "/admin/status").expect(200).json()["checks"]
        assert any("invalid_grant" in check["text"] for check in checks), checks
        assert juriste.devices()[0]["goneAt"] is None and fcm.messages == []
        assert "PRIVATE KEY" not in home.log()
    finally:
        other.close()


def test_a_push_that_an_operator_tries_says_what_became_of_it_and_what_mends_it(house, fcm):
    home = house(*flags(fcm))
    person = registered(home, "juriste2", "good")

    def says(code, name, *words, account=()):
        person.ask("DELETE", f"/notifications/devices/{person.app}").expect(200, 204)
        person.app = person.register({"kind": "fcm", "registration": registration(name), "name": "Android"})
        said = home.run("test", "push", "juriste2@example.com", *(account or home.flags[:4]), code=code)
        assert all(word in said for word in words), (name, said)
        assert registration(name) not in said and "PRIVATE KEY" not in said

    says(0, "good", "fcm Android: accepted")
    shown = fcm.got(registration("good"))[0]
    assert shown["notification"]["body"] == "Les notifications arrivent sur cet appareil."
    says(1, "gone", "does not exist any more", "turns them on there again", "1 of them did not go")
    says(1, "malformed", "does not exist any more")
    says(1, "sender", "takes nothing from this server: ", "the Firebase project that the app was made with")
    says(1, "third", "takes nothing from this server: ", "is its key still valid")
    says(1, "unavailable", "not now: ", "comes back by itself")
    says(1, "other", "no push leaves for apps", "--fcm-account", account=("--push-contact", "avis@cabinet.test"))
    assert fcm.to(registration("other")) == []
    other = Fcm()
    try:
        file = home.folder / "another.json"
        file.write_text(json.dumps(fcm.account() | {"private_key": other.pem}))
        wrong = ("--fcm-account", str(file), "--fcm-api", fcm.origin)
        says(1, "good", "takes nothing from this server: ", "invalid_grant", "is its key still valid", account=wrong)
    finally:
        other.close()
