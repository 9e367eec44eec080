"""Stripe: each request must fit its OpenAPI document to the letter, an idempotency key has one answer, and events are
signed by its own library."""

import json
import time

import stripe

from peers.openapi import VERSION, Operation, sample, tree
from peers.web import Service

KEY, SECRET = "sk_live_peer", "whsec_peer"


def wrong(message, code=None):
    return {"error": {"type": "invalid_request_error", "code": code, "message": message}}


class Stripe(Service):
    """An account: `sessions`, `payments`, `refunds`, `events` by their ids, and the `calls` that came."""

    key, livemode = KEY, True

    def __init__(self):
        self.sessions, self.payments, self.refunds, self.events = {}, {}, {}, {}
        self.calls, self.answered, self.made = [], {}, 0
        super().__init__()

    def posts(self):
        """The idempotency keys of all that was to be done, the first one first."""
        return [key for _, _, key in self.calls if key]

    # What happens at Stripe.

    def pay(self, session_id, settled=True):
        """Somebody pays on a page; the event of it."""
        session = self.sessions[session_id]
        assert session["status"] == "open", session
        payment_id = self._charged(session["amount_total"], settled, session["metadata"])
        status = "paid" if settled else "unpaid"
        session |= {"status": "complete", "payment_status": status, "payment_intent": payment_id, "url": None}
        self.sessions[session_id] = session
        return self.event("checkout.session.completed", session)

    def _charged(self, amount, settled, metadata):
        """Money is taken, or will be; the payment's id."""
        payment_id = self._next("pi")
        charge = sample("charge", {
            "id": self._next("ch"), "object": "charge", "amount": amount, "amount_captured": amount,
            "amount_refunded": 0, "disputed": False, "payment_intent": payment_id, "livemode": self.livemode,
            "payment_method_details": {"type": "card" if settled else "sepa_debit"},
        })  # fmt: skip
        self.payments[payment_id] = sample("payment_intent", {
            "id": payment_id, "object": "payment_intent", "status": "succeeded" if settled else "processing",
            "amount": amount, "amount_received": amount if settled else 0, "currency": "eur",
            "livemode": self.livemode, "metadata": metadata, "latest_charge": charge,
        })  # fmt: skip
        return payment_id

    def _payment(self, payment_id):
        return self.payments[payment_id]

    def _refunds_of(self, payment_id):
        return [it for it in self.refunds.values() if it["payment_intent"] == payment_id]

    def settle(self, session_id):
        """A debit that was under way arrives; the event of it."""
        session = self.sessions[session_id]
        payment = self.payments[session["payment_intent"]]
        payment |= {"status": "succeeded", "amount_received": payment["amount"]}
        session["payment_status"] = "paid"
        return self.event("checkout.session.async_payment_succeeded", session)

    def event(self, kind, shown):
        event = sample("event", {
            "id": self._next("evt"), "object": "event", "type": kind, "created": int(time.time()),
            "livemode": self.livemode,
            "api_version": VERSION, "data": {"object": dict(shown)},
        })  # fmt: skip
        self.events[event["id"]] = event
        return event

    @staticmethod
    def signed(event, secret=SECRET, age=0):
        """The header and the body by which Stripe tells of an event."""
        payload, now = json.dumps(event, indent=2, ensure_ascii=False), int(time.time()) - age
        signature = stripe.WebhookSignature._compute_signature(f"{now}.{payload}", secret)
        # During a change of secrets there are several, and one of a scheme for tests.
        header = f"t={now},v1={'0' * 64},v1={signature},v0={'1' * 64}"
        if age < 300:
            stripe.Webhook.construct_event(payload, header, secret)
        return {"Stripe-Signature": header, "Content-Type": "application/json"}, payload.encode()

    # What is asked of Stripe.

    def answer(self, request):
        path, _, query = request.path.partition("?")
        method, form = request.command.lower(), request.body.decode()
        operation = Operation.find(method, path)
        found = operation.faults(form if method == "post" else query)
        headers = request.headers
        is_ours = headers["Stripe-Version"] == VERSION and headers["Authorization"] == f"Bearer {self.key}"
        key = headers["Idempotency-Key"]
        with self.lock:
            self.calls.append((operation.name, form or query, key))
            if found:
                return self._refused(400, "invalid_request_error", "; ".join(found))
            assert is_ours, (headers["Stripe-Version"], headers["Authorization"])
            assert (method == "post") == bool(key), "an idempotency key belongs to every POST and to no GET"
            if key not in self.answered:
                status, body = self._do(operation.name, path.split("/"), tree(form or query))
                self.answered[key] = (path, form, status, json.dumps(body).encode())
                if not key:
                    return status, {}, self.answered.pop(key)[3]
            before, what, status, body = self.answered[key]
            if (before, what) != (path, form):
                return self._refused(400, "idempotency_error", "the key was used with other parameters")
            return status, {"Request-Id": "req_1"}, body

    def _do(self, name, parts, fields):
        match name:
            case "post /v1/checkout/sessions":
                return 200, self._create(fields)
            case "get /v1/checkout/sessions/{session}":
                session = dict(self.sessions[parts[4]])
                payment_id = session["payment_intent"]
                if payment_id and "payment_intent.latest_charge" in fields.get("expand", []):
                    session["payment_intent"] = self._payment(payment_id)
                return 200, session
            case "post /v1/checkout/sessions/{session}/expire":
                session = self.sessions[parts[4]]
                if session["status"] != "open":
                    return 400, wrong("Only Checkout Sessions with a status in [\"open\"] can be expired.")
                session |= {"status": "expired", "url": None}
                return 200, session
            case "get /v1/payment_intents/{intent}":
                return 200, self._payment(parts[3])
            case "post /v1/refunds":
                return self._refund(fields)
            case "get /v1/refunds/{refund}":
                return 200, self.refunds[parts[3]]
            case "get /v1/refunds":
                data = self._refunds_of(fields["payment_intent"])
            case "get /v1/events":
                data = list(self.events.values())[::-1]
            case _:
                raise AssertionError(name)
        return 200, {"object": "list", "url": "/v1", "data": data, "has_more": False}

    def _create(self, fields):
        session_id, (line,) = self._next("cs"), fields["line_items"]
        self.sessions[session_id] = sample("checkout.session", {
            "id": session_id, "object": "checkout.session", "status": "open", "payment_status": "unpaid",
            "url": f"https://checkout.stripe.example/{session_id}", "currency": "eur", "mode": "payment",
            "amount_total": int(line["price_data"]["unit_amount"]) * int(line["quantity"]), "payment_intent": None,
            "client_reference_id": fields["client_reference_id"], "metadata": fields["metadata"],
            "expires_at": int(fields["expires_at"]), "livemode": self.livemode,
        })  # fmt: skip
        return self.sessions[session_id]

    def _refund(self, fields):
        refund_id, payment = self._next("re"), self.payments[fields["payment_intent"]]
        gone = sum(it["amount"] for it in self.refunds.values() if it["payment_intent"] == payment["id"])
        if gone + int(fields["amount"]) > payment["amount_received"]:
            return 400, wrong("The charge has already been refunded.", "charge_already_refunded")
        self.refunds[refund_id] = sample("refund", {
            "id": refund_id, "object": "refund", "status": "succeeded", "amount": int(fields["amount"]),
            "currency": "eur", "payment_intent": payment["id"], "metadata": fields["metadata"],
        })  # fmt: skip
        self.event("refund.created", self.refunds[refund_id])
        return 200, self.refunds[refund_id]

    def _next(self, kind):
        self.made += 1
        return f"{kind}_{self.made}"

    @staticmethod
    def _refused(status, kind, message):
        return status, {"Request-Id": "req_1"}, json.dumps({"error": {"type": kind, "message": message}}).encode()
