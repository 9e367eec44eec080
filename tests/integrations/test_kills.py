"""SIGKILL between a commit and what must follow it outside the house: nothing is lost, nothing is done twice.

A third party that has taken something and whose answer nobody heard is asked again. FCM and browsers' services give no
key to be idempotent by, and a relay none that it looks at: there the same notice may arrive twice, under the same
Message-ID or topic, so that a reader shows it once. Stripe's keys make it once.
"""

import collections
import http.client
import os
import random
import threading
import time

from house import PATIENCE, until
from peers.fcm import Fcm
from peers.push import PushService
from peers.relay import Relays
from peers.stripe_api import Stripe
from test_fcm import flags as fcm_flags
from test_fcm import registration
from test_mail import relay as mail_flags
from test_stripe import Till

IS_LONG = "LEXCHAT_TEST_LONG" in os.environ
MAILED, ALSO_MAILED, BROWSER, APP = 7, 8, 9, 10
# What becomes of an invoice, in this order: a method of `Bill` each.
STEPS = ("issue", "open", "pay", "credit")


def kill_after(home, seconds):
    time.sleep(seconds)
    home.kill()


def test_a_server_that_is_killed_tells_everybody_once(house, loop):
    rounds, dice = 500 if IS_LONG else 50, random.Random(16)
    relays, service, fcm = Relays(loop), PushService(), Fcm()
    # An answer takes its time, so that some kills come before it.
    service.pause = fcm.pause = 0.02
    home = house(
        *mail_flags(relays.ports["clear"]),
        "--push-contact", "avis@cabinet.example", "--push-host", service.origin, *fcm_flags(fcm),
    )  # fmt: skip
    client = home.sign_in("client1")
    people = {who: home.sign_in(f"juriste{who - 5}") for who in (MAILED, ALSO_MAILED, BROWSER, APP)}
    browser = service.browser("one")
    people[BROWSER].register(browser.device())
    people[APP].register({"kind": "fcm", "registration": registration("app")})
    for who in (BROWSER, APP):
        people[who].ask("PATCH", "/notifications/settings", {"email": "never"}).expect(200)
    conversations = {who: client.conversation(who) for who in people}
    arrived = {
        MAILED: lambda: [mail.headers["Message-ID"] for mail in relays.to("juriste2@example.com")],
        ALSO_MAILED: lambda: [mail.headers["Message-ID"] for mail in relays.to("juriste3@example.com")],
        BROWSER: lambda: [push.topic for push in browser.pushes],
        # What takes a notice away is none itself.
        APP: lambda: [it["data"]["tag"] for it in fcm.to(registration("app")) if "notification" in it],
    }
    copies = 0
    for number in range(rounds):
        # Once the relay keeps its answer to itself, so that one kill comes before an answer whatever the dice say.
        is_held = number == rounds // 2
        relays.pause = 2 * PATIENCE if is_held else 0.02
        before = {who: len(heard()) for who, heard in arrived.items()}
        raised = {who: len(home.deliveries(who)) for who in people}
        for conversation_id in conversations.values():
            client.ask("POST", "/messages", {"conversationId": conversation_id, "content": f"n° {number}"}).expect(
                200, 201
            )
        if is_held:
            until("the relay has one", lambda before=before: len(arrived[MAILED]()) > before[MAILED])
        kill_after(home, dice.uniform(0, 0.12))
        relays.pause = 0.02
        home.start()

        def all_left(raised=raised):
            now = {who: home.deliveries(who) for who in people}
            return all(len(rows) > raised[who] and rows[-1]["state"] == "sent" for who, rows in now.items())

        until(lambda: f"all have left: {[home.deliveries(who)[-1:] for who in people]}", all_left)
        for who, heard in arrived.items():
            came = heard()[before[who] :]
            assert 1 <= len(came) <= 2 and len(set(came)) == 1, (number, who, came)
            assert len(home.deliveries(who)) == raised[who] + 1, (number, who)
            copies += len(came) - 1
            people[who].read(conversations[who])
    print(f"{rounds} kills, {4 * rounds} notices, {copies} of them a second time because their answer was not heard")
    for each in (service, fcm):
        each.close()
    assert copies > 0, "no kill came between a third party and its answer"


class Bill:
    """From a draft to money that went back. Whoever does not know whether a step was taken asks for it again."""

    def __init__(self, till):
        self.till, self.id = till, till.draft()
        self.page = self.event = None

    def issue(self):
        return self.till.juriste.ask("POST", f"/invoices/{self.id}/issue").expect(200, 409).status

    def open(self):
        self.page = self.till.page(self.id)

    def pay(self):
        self.till.tell(self.event).expect(200)

    def credit(self):
        credit = {"reason": "annulation", "refundCents": 12_000}
        return self.till.juriste.ask("POST", f"/invoices/{self.id}/credit", credit).expect(201, 409).status


def test_a_server_that_is_killed_at_every_step_numbers_takes_and_gives_back_once(house):
    rounds, dice, account = 500 if IS_LONG else 100, random.Random(17), Stripe()
    till, bills, found = Till(house, account), [], collections.Counter()
    for number in range(rounds + 3):
        if number < rounds:
            bills.append(Bill(till))
        # Each kill comes amid four steps of four invoices: the latest is issued, the one before it is to be paid…
        under_way = [(step, bills[number - at]) for at, step in enumerate(STEPS) if 0 <= number - at < rounds]
        # Once Stripe keeps its answers to itself, so that one kill comes before an answer whatever the dice say.
        asked, is_held = len(account.posts()), number == rounds // 2
        account.pause = 2 * PATIENCE if is_held else 0.02
        at = (lambda _, asked=asked: len(account.posts()) > asked) if is_held else None
        # And once all is answered first, so that one comes behind the commits.
        at = (lambda asking: not any(thread.is_alive() for thread in asking)) if number == rounds // 3 else at
        killed_meanwhile(till.home, dice, [getattr(bill, step) for step, bill in under_way], at)
        account.pause = 0.02
        till.home.start()
        for step, bill in under_way:
            found[step, getattr(bill, step)()] += 1
        for step, bill in under_way:
            if step == "open":
                bill.event = account.pay(bill.page)
            elif step != "issue":
                till.when(bill.id, {"pay": "paid", "credit": "refunded"}[step])
        # What happened days ago is not told again.
        with account.lock:
            account.events = dict(list(account.events.items())[-20:])
    keys = account.posts()
    unheard = len(keys) - len(set(keys))
    print(f"{rounds + 3} kills; asked again of Stripe: {unheard}; answers to who asked again: {dict(found)}")
    assert unheard > 0, "no kill came between Stripe and its answer"
    committed, uncommitted = found["issue", 409] + found["credit", 409], found["issue", 200] + found["credit", 201]
    assert committed and uncommitted, "kills came on one side of the commits alone"
    one_of_each(till, bills)
    account.close()


def one_of_each(till, bills):
    """Of each bill one number, one entry, one page, one charge, one credit note with its entry, and one refund."""
    rows, account = till.home.rows, till.account
    for bill in bills:
        seen = till.now(bill.id)
        amounts = [payment["amountCents"] for payment in seen["payments"]]
        assert (seen["paidCents"], amounts, len(seen["credits"])) == (0, [12_000, -12_000], 1), seen
    assert len(account.sessions) == len(account.payments) == len(account.refunds) == len(bills)
    for series in "FA":
        numbers = rows("SELECT number FROM invoices WHERE number LIKE ? ORDER BY number", f"{series}%")
        places = [int(number.rsplit("-", 1)[1]) for (number,) in numbers]
        assert places == list(range(1, len(bills) + 1)), numbers
    assert rows("SELECT count(*) FROM messages WHERE kind = 'invoice'") == [(2 * len(bills),)]
    documents = "SELECT count(*), count(DISTINCT sha256) FROM invoice_documents"
    until("each has its document", lambda: rows(documents) == [(2 * len(bills), 2 * len(bills))])


def killed_meanwhile(home, dice, requests, at=None):
    """The server is killed while people ask it for something; nobody hears the answer.

    `at`: what must have happened before, of those who ask.
    """

    def ask(request):
        try:
            request()
        except (OSError, AssertionError, ValueError, http.client.HTTPException):
            return

    asking = [threading.Thread(target=ask, args=(request,)) for request in requests]
    for thread in asking:
        thread.start()
    if at:
        until("it has happened", lambda: at(asking))
    # Most of what is asked for is done within a few hundredths of a second.
    kill_after(home, 0.15 * dice.random() ** 3)
    for thread in asking:
        thread.join()
