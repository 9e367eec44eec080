"""Payments at a Stripe that holds every request against its OpenAPI document and signs with its own library."""

import datetime
import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from house import tells_nothing, until
from peers.localstripe import LocalStripe
from peers.openapi import VERSION, Operation
from peers.stripe_api import KEY, SECRET, Stripe

PRACTICE = {
    "name": "Cabinet Delorme & Associés", "profession": "avocat", "legalForm": "SELARL",
    "shareCapitalCents": 2_000_000, "rcs": "Lyon",
    "address": {"line1": "12 rue de la République", "postcode": "69002", "city": "Lyon", "country": "FR"},
    "siren": "732 829 320", "siret": "73282932000074", "vatNumber": "FR44732829320", "vatRegime": "collection",
    "iban": "FR76 3000 6000 0112 3456 7890 189", "bic": "AGRIFRPP882", "paymentTermDays": 30,
    "penaltyRateBp": 1_200, "conventionDate": "2026-03-02",
    "mediator": {"name": "Médiateur de la profession d’avocat", "contact": "mediateur-consommation-avocat.fr"},
}  # fmt: skip
BUYER = {
    "kind": "person",
    "name": "Camille Canari",
    "address": {"line1": "3 place Bellecour", "postcode": "69002", "city": "Lyon"},
}


@pytest.fixture
def account():
    service = Stripe()
    yield service
    service.close()
    for _, form, _ in service.calls:
        tells_nothing(form)


class Till:
    """A practice whose invoices can be paid at the account."""

    def __init__(self, house, account, *flags):
        self.account = account
        self.home = house(
            "--stripe-key-file", account.key.encode(), "--stripe-webhook-secret-file", b"whsec_before",
            "--stripe-webhook-secret-file", SECRET.encode(), "--stripe-api", account.origin, *flags,
        )  # fmt: skip
        self.client, self.juriste = self.home.sign_in("client1"), self.home.sign_in("juriste1")
        self.home.sign_in("admin").ask("PATCH", "/admin/practice", PRACTICE).expect(200)
        self.client.ask("PATCH", f"/users/{self.client.id}/billing", BUYER).expect(200)
        self.conversation_id = self.client.conversation(self.juriste.id)

    def draft(self):
        """A draft of 120 €; its id."""
        line = {
            "description": "Le canari",
            "quantity": 1_000,
            "unitPriceCents": 10_000,
            "vatRateBp": 2_000,
            "kind": "fee",
        }
        draft = {"conversationId": self.conversation_id, "lines": [line]}
        return self.juriste.ask("POST", "/invoices", draft).expect(201).json()["id"]

    def issue(self):
        """An invoice of 120 €; its id."""
        invoice_id = self.draft()
        self.juriste.ask("POST", f"/invoices/{invoice_id}/issue").expect(200)
        return invoice_id

    def page(self, invoice_id):
        """The session that the client is sent to."""
        answer = self.client.ask("POST", f"/invoices/{invoice_id}/checkout").expect(200).json()
        return answer["url"].rsplit("/", 1)[1]

    def tell(self, event, **how):
        headers, body = Stripe.signed(event, **how)
        return self.home.ask("POST", "/hooks/stripe", body, headers)

    def now(self, invoice_id):
        return self.juriste.ask("GET", f"/invoices/{invoice_id}").expect(200).json()

    def when(self, invoice_id, state):
        """The invoice once its payment is in this state."""

        def check():
            assert self.account.failures == [], self.account.failures
            seen = self.now(invoice_id)
            return seen if seen["payment"] == state else None

        return until(lambda: f"{state}: {self.now(invoice_id)}, {self.account.calls}", check)

    def heard_out(self):
        """All events that were told have come to something."""
        waiting = "SELECT count(*) FROM stripe_events WHERE outcome = 'waiting'"
        until("no event waits", lambda: self.home.rows(waiting) == [(0,)])

    def hurry(self):
        for table in ("checkout_sessions", "refunds", "stripe_events"):
            self.home.rows(f"UPDATE {table} SET due_at = 0")

    def operations(self):
        return {name for name, _, _ in self.account.calls}


def test_the_description_refuses_what_stripe_refuses_and_stripes_library_understands_the_account(account):
    checkout = Operation.find("post", "/v1/checkout/sessions")
    for wrong in (
        "mode=paiement",
        "mode=payment&bogus=1",
        "mode=payment&line_items[0][price_data][curency]=eur",
        "mode=payment&line_items[0][quantity]=one",
    ):
        assert checkout.faults(wrong), wrong
    assert checkout.faults("mode=payment&line_items[0][quantity]=1") == []
    assert Operation.find("post", "/v1/refunds").faults("amount=abc")

    official = stripe.StripeClient(KEY, base_addresses={"api": account.origin}, stripe_version=VERSION)
    price = {"currency": "eur", "unit_amount": 12_000, "product_data": {"name": "F2026-00001"}}
    asked = {
        "mode": "payment", "line_items": [{"quantity": 1, "price_data": price}], "client_reference_id": "r1",
        "success_url": "https://cabinet.example/", "metadata": {"a": "b"}, "expires_at": 1_795_860_000,
    }  # fmt: skip
    made = official.v1.checkout.sessions.create(asked, {"idempotency_key": "k1"})
    assert (made.status, made.amount_total, made.id) == ("open", 12_000, "cs_1")
    assert official.v1.checkout.sessions.create(asked, {"idempotency_key": "k1"}).id == "cs_1"
    with pytest.raises(stripe.IdempotencyError):
        official.v1.checkout.sessions.create(asked | {"expires_at": 1_795_860_001}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.InvalidRequestError):
        official.v1.checkout.sessions.create(asked | {"bogus": 1}, {"idempotency_key": "k2"})
    account.pay("cs_1")
    payment = official.v1.checkout.sessions.retrieve("cs_1").payment_intent
    assert official.v1.payment_intents.retrieve(payment).status == "succeeded"
    refund = official.v1.refunds.create({"payment_intent": payment, "amount": 500, "metadata": {"a": "b"}})
    assert official.v1.refunds.retrieve(refund.id).amount == 500


def test_what_stripes_library_signs_is_taken_once_and_nothing_else_is(house, account):
    till = Till(house, account)
    invoice_id = till.issue()
    page = till.page(invoice_id)
    assert till.page(invoice_id) == page, "one page while it is open and right"
    event = account.pay(page)
    headers, body = Stripe.signed(event)
    tampered = body.replace(b"12000", b"92000")
    assert tampered != body
    again = json.dumps(json.loads(body)).encode()
    till.home.ask("POST", "/hooks/stripe", tampered, headers).expect(400)
    till.home.ask("POST", "/hooks/stripe", again, headers).expect(400)
    till.home.ask("POST", "/hooks/stripe", body).expect(400)
    till.tell(event, secret="whsec_other").expect(400)
    till.tell(event, age=400).expect(400)
    # A redirect says nothing, and a test's money is none.
    till.tell(event | {"id": "evt_test", "livemode": False}).expect(200)
    till.heard_out()
    assert till.now(invoice_id)["payment"] == "open"
    for secret in ("whsec_before", SECRET, SECRET):
        till.tell(event, secret=secret).expect(200)
    late = account.event("checkout.session.expired", account.sessions[page])
    till.tell(late).expect(200)
    paid = till.when(invoice_id, "paid")
    till.heard_out()
    assert (paid["paidCents"], len(till.now(invoice_id)["payments"]), len(account.sessions)) == (12_000, 1, 1)
    assert paid["payments"][0]["method"] == "card"
    till.client.ask("POST", f"/invoices/{invoice_id}/checkout").expect(409)
    assert {"post /v1/checkout/sessions", "get /v1/checkout/sessions/{session}"} <= till.operations()


def test_what_is_given_back_goes_back_once_and_is_booked_whoever_tells_of_it(house, account):
    till = Till(house, account)
    invoice_id = till.issue()
    till.tell(account.pay(till.page(invoice_id))).expect(200)
    till.when(invoice_id, "paid")
    credit = {"reason": "annulation", "refundCents": 12_000}
    till.juriste.ask("POST", f"/invoices/{invoice_id}/credit", credit).expect(201)
    till.home.kill()
    till.home.start()
    till.hurry()
    till.when(invoice_id, "refunded")
    for event in list(account.events.values())[::-1] * 2:
        till.tell(event).expect(200)
    till.heard_out()
    seen = till.now(invoice_id)
    assert (seen["paidCents"], len(seen["payments"]), len(account.refunds)) == (0, 2, 1)
    assert "post /v1/refunds" in till.operations()


def test_localstripe_takes_the_money_and_gives_it_back(house):
    account = LocalStripe()
    try:
        till = Till(house, account)
        invoice_id = till.issue()
        page = till.page(invoice_id)
        account.tell(f"http://127.0.0.1:{till.home.port}/hooks/stripe")
        till.tell(account.pay(page)).expect(200)
        till.when(invoice_id, "paid")
        credit = {"reason": "annulation", "refundCents": 12_000}
        till.juriste.ask("POST", f"/invoices/{invoice_id}/credit", credit).expect(201)
        seen = till.when(invoice_id, "refunded")
        assert [it["state"] for it in seen["refunds"]] == ["succeeded"]
        (refund,) = account.refunds.values()
        charge = account.there("GET", f"/v1/charges/{refund['charge']}")
        assert (charge["amount"], charge["amount_refunded"]) == (12_000, 12_000)
        # What it told itself, whose ids are longer than ours, it signed; it is believed.
        told = "SELECT count(*) FROM stripe_events WHERE kind = 'payment_intent.succeeded' AND length(id) > 12"
        until("it told of the payment", lambda: till.home.rows(told) == [(1,)])
        till.heard_out()
        assert till.now(invoice_id)["paidCents"] == 0
    finally:
        account.close()


def test_a_debit_is_under_way_until_it_arrives_and_a_lost_event_is_asked_for(house, account):
    till = Till(house, account, "--stripe-sepa")
    invoice_id = till.issue()
    page = till.page(invoice_id)
    forms = [form for name, form, _ in account.calls if name == "post /v1/checkout/sessions"]
    assert "sepa_debit" in forms[0]
    account.pay(page, settled=False)
    till.hurry()
    till.when(invoice_id, "in_process")
    till.client.ask("POST", f"/invoices/{invoice_id}/checkout").expect(409)
    account.settle(page)
    till.hurry()
    assert till.when(invoice_id, "paid")["paidCents"] == 12_000


def test_a_page_over_another_amount_is_expired_before_a_new_one_is_made(house, account):
    till = Till(house, account)
    invoice_id = till.issue()
    first = till.page(invoice_id)
    # The practice has a day of its own.
    noted = {"method": "cheque", "amountCents": 2_000, "date": till.now(invoice_id)["issuedAt"]}
    till.juriste.ask("POST", f"/invoices/{invoice_id}/payments", noted).expect(201)
    second = till.page(invoice_id)
    assert (account.sessions[first]["status"], account.sessions[second]["amount_total"]) == ("expired", 10_000)
    till.tell(account.pay(second)).expect(200)
    till.when(invoice_id, "paid")
    keys = account.posts()
    assert len(keys) == len(set(keys)) and min(map(len, keys)) >= 20, "each request has a key of its own"


def test_a_clock_that_is_behind_the_series_stops_issuing_and_is_named(house, account):
    till = Till(house, account)
    first = till.now(till.issue())
    day = datetime.date.fromisoformat(first["issuedAt"])
    latest = "UPDATE invoice_series SET latest_on = ? WHERE name = 'F'"
    till.home.rows(latest, (day + datetime.timedelta(days=1)).isoformat())
    path = f"/invoices/{till.draft()}/issue"
    refused = till.juriste.ask("POST", path).expect(409).json()
    assert [fault["field"] for fault in refused["details"]] == ["clock"], refused
    till.home.rows(latest, day.isoformat())
    second = till.juriste.ask("POST", path).expect(200).json()
    assert (first["number"][-5:], second["number"][-5:]) == ("00001", "00002"), "a refusal takes no number"


class Moment:
    """One invoice with an open page, and what may happen to it at the same moment as something else."""

    def __init__(self, till):
        self.till, self.id = till, till.issue()
        self.page = till.page(self.id)
        self.paid = self.credited = 0

    def pay(self):
        self._at_stripe(lambda _: self.till.account.pay(self.page), paid=12_000)

    def expire(self):
        def over(session):
            session |= {"status": "expired", "url": None}
            return self.till.account.event("checkout.session.expired", session)

        self._at_stripe(over, paid=0)

    def note(self):
        noted = {"method": "transfer", "amountCents": 12_000, "date": self.till.now(self.id)["issuedAt"]}
        self.till.juriste.ask("POST", f"/invoices/{self.id}/payments", noted).expect(201)
        self.paid += 12_000

    def credit(self):
        self.till.juriste.ask("POST", f"/invoices/{self.id}/credit", {"reason": "geste"}).expect(201)
        self.credited = 12_000

    def _at_stripe(self, happens, paid):
        """Stripe lets it happen to a page that is still open, and tells of it."""
        account = self.till.account
        with account.lock:
            session = account.sessions[self.page]
            event = happens(session) if session["status"] == "open" else None
        if event:
            self.paid += paid
            self.till.tell(event).expect(200)


def test_whatever_happens_at_the_same_moment_all_money_is_booked_and_nothing_more(house, account):
    till = Till(house, account)
    for one, other in list(itertools.combinations(("pay", "note", "credit", "expire"), 2)) * 3:
        moment = Moment(till)
        with ThreadPoolExecutor(2) as at_once:
            for done in [at_once.submit(getattr(moment, what)) for what in (one, other)]:
                done.result()
        till.heard_out()
        owed = 12_000 - moment.credited
        expected = (moment.paid, max(owed - moment.paid, 0), max(moment.paid - owed, 0))

        def now(moment=moment):
            seen = till.now(moment.id)
            return tuple(seen[name] for name in ("paidCents", "dueCents", "toRefundCents"))

        until(lambda: f"{one} and {other}: {now()} is {expected}", lambda: now() == expected)
        if expected[1] == 0:
            until("the page is over", lambda: account.sessions[moment.page]["status"] != "open")
        till.hurry()
        till.heard_out()
        assert now() == expected, (one, other)
    assert till.home.rows("SELECT count(*) FROM payments WHERE stripe_id IS NOT NULL") == [(len(account.payments),)]


def test_a_restored_copy_from_before_bills_a_payment_and_a_refund_doubles_none_of_them(house, account):
    till = Till(house, account)
    admin = till.home.sign_in("admin")
    to_pay, to_give_back = till.issue(), till.issue()
    page = till.page(to_pay)
    till.tell(account.pay(till.page(to_give_back))).expect(200)
    till.when(to_give_back, "paid")
    till.heard_out()
    copy = till.home.folder / "copy.db"
    till.home.run("backup", copy)

    lost = [till.issue() for _ in range(3)]
    till.tell(account.pay(page)).expect(200)
    till.when(to_pay, "paid")
    credit, path = {"reason": "annulation", "refundCents": 12_000}, f"/invoices/{to_give_back}/credit"
    till.juriste.ask("POST", path, credit).expect(201)
    till.when(to_give_back, "refunded")
    year = till.now(to_pay)["number"][1:5]
    till.home.kill()
    for file in till.home.folder.glob("house.db*"):
        file.unlink()
    till.home.run("restore", copy)
    till.home.start()

    # It is behind: what happened meanwhile is not known, and nothing happens until somebody says so.
    asked = len(account.calls)
    for event in list(account.events.values()) * 2:
        till.tell(event).expect(200)
    till.hurry()
    draft = till.draft()
    till.juriste.ask("POST", f"/invoices/{draft}/issue").expect(409)
    till.juriste.ask("POST", path, credit).expect(409)
    till.client.ask("POST", f"/invoices/{to_pay}/checkout").expect(409)
    known = admin.ask("GET", "/admin/practice").expect(200).json()
    assert known["onHold"] and known["foreignEvents"], known
    assert (till.now(to_pay)["payment"], till.now(to_give_back)["payment"]) == ("open", "paid")
    assert len(account.calls) == asked, account.calls[asked:]

    earlier = {"invoice": f"F{year}-00001"}
    admin.ask("POST", "/admin/invoices/resume", earlier).expect(409)
    numbers = {"invoice": f"F{year}-00005", "credit": f"A{year}-00001"}
    admin.ask("POST", "/admin/invoices/resume", numbers).expect(204)
    till.hurry()
    paid = till.when(to_pay, "paid")
    till.client.ask("POST", f"/invoices/{to_pay}/checkout").expect(409)
    # Stripe says that this went back already: the note is issued all the same, that refund is booked, and no other is made.
    note = till.juriste.ask("POST", path, credit).expect(201).json()
    till.when(to_give_back, "refunded")
    refunds = lambda: [it["state"] for it in till.now(to_give_back)["refunds"]]  # noqa: E731
    until(lambda: f"ours is given up: {refunds()}", lambda: refunds() == ["failed", "succeeded"])
    issued = till.juriste.ask("POST", f"/invoices/{draft}/issue").expect(200).json()
    assert (issued["number"], note["number"]) == (f"F{year}-00006", f"A{year}-00002")
    assert (paid["paidCents"], len(paid["payments"])) == (12_000, 1)
    assert (len(account.payments), len(account.refunds)) == (2, 1), "one charge each, and one refund"
    day = issued["issuedAt"]
    export = admin.ask("GET", f"/admin/invoices/export?from={day}&to={day}").expect(200).text()
    assert export.count("perdu à la restauration") == len(lost) + 1, export
