"""A canary in every name, title, text and file name: in no notice of any kind, by whatever way it leaves the house, nor
where an operator reads.
"""

import json

from house import tells_nothing, until
from peers.fcm import Fcm
from peers.push import PushService
from peers.relay import Relays
from test_fcm import flags as fcm_flags
from test_fcm import registration
from test_mail import relay as mail_flags
from test_stripe import BUYER, PRACTICE


class Office:
    """A juriste, a client with a browser and an app, and one who is mailed; the same is done to both."""

    def __init__(self, home, service):
        self.home, self.admin, self.juriste = home, home.sign_in("admin"), home.sign_in("juriste1")
        self.admin.ask("PATCH", "/admin/practice", PRACTICE).expect(200)
        self.pushed, self.mailed = home.sign_in("client1"), home.sign_in("client2")
        self.browser = service.browser("one")
        self.device_id = self.pushed.register(self.browser.device())
        self.pushed.register({"kind": "fcm", "registration": registration("app")})
        for client in (self.pushed, self.mailed):
            client.ask("PATCH", f"/users/{client.id}/billing", BUYER).expect(200)
        self.invoices = []

    def message(self, client):
        self.juriste.say(client.id)

    def call(self, client):
        """One that nobody answers."""
        path = f"/conversations/{self.juriste.conversation(client.id)}/calls"
        call = self.juriste.ask("POST", path, {"media": "audio"}).expect(201).json()
        self.juriste.ask("POST", f"/calls/{call['id']}/leave").expect(200)

    def invoice(self, client):
        line = {"description": "Le canari", "quantity": 1_000, "unitPriceCents": 9_900, "vatRateBp": 2_000, "kind": "fee"}
        draft = {"conversationId": self.juriste.conversation(client.id), "title": "Canari", "lines": [line]}
        self.invoices.append(self.juriste.ask("POST", "/invoices", draft).expect(201).json()["id"])
        self.juriste.ask("POST", f"/invoices/{self.invoices[-1]}/issue").expect(200)

    def reminder(self, client):
        invoice_id = self.invoices[-2 if client is self.pushed else -1]
        self.juriste.ask("POST", f"/invoices/{invoice_id}/remind").expect(200)

    def account(self, relays):
        """What is mailed about accounts: each kind once."""
        home, mailed, password = self.home, self.mailed, "Pass123!"
        invitation = {"role": "client", "name": "Canari", "email": "nora@client.example", "send": True}
        self.admin.ask("POST", "/invitations", invitation).expect(201)
        self.admin.ask("POST", "/admin/test-mail", {"to": "essai@client.example"}).expect(202)
        home.ask("POST", "/auth/forgot-password", {"email": "client2@example.com"}).expect(202)
        taken = {"email": "juriste3@example.com", "password": password}
        mailed.ask("POST", "/users/me/email", taken).expect(202)
        account = {"email": "client2@example.com", "password": password}
        home.ask("POST", "/auth/sign-in", account, {"User-Agent": "Another"}).expect(200)
        mailed.ask("POST", "/users/me/email", {"email": "neuf@client.example", "password": password}).expect(202)
        text = relays.first("neuf@client.example")[0].bodies["text/plain"]
        token = text.split("/confirmation/")[1].split()[0]
        home.ask("POST", "/auth/confirm-email", {"token": token}).expect(200)


def test_no_kind_of_notice_tells_anything_by_any_way(house, loop):
    relays, service, fcm = Relays(loop), PushService(), Fcm()
    home = house(
        *mail_flags(relays.ports["clear"]),
        "--push-contact", "avis@cabinet.example", "--push-host", service.origin, *fcm_flags(fcm),
    )  # fmt: skip
    office = Office(home, service)
    app, mails = registration("app"), lambda: relays.to("client2@example.com")
    for happening in (office.message, office.call, office.invoice, office.reminder):
        pushes, messages, mailed = len(office.browser.pushes), len(fcm.to(app)), len(mails())
        for client in (office.pushed, office.mailed):
            happening(client)
        office.browser.got(pushes + 1)
        fcm.got(app, messages + 1)
        relays.first("client2@example.com", mailed + 1)
        for client in (office.pushed, office.mailed):
            home.sent(client.id)
            client.read(office.juriste.conversation(client.id))
    office.pushed.ask("POST", f"/notifications/devices/{office.device_id}/test").expect(202)
    office.account(relays)

    described = home.ask("GET", "/openapi.json").expect(200).json()["components"]["schemas"]["Delivery"]
    left = "SELECT DISTINCT kind FROM outbox WHERE state = 'sent' ORDER BY kind"
    every = sorted(described["properties"]["kind"]["enum"])
    until(lambda: f"each kind has left: {home.rows(left)}", lambda: [kind for (kind,) in home.rows(left)] == every)
    assert office.browser.pushes and fcm.to(app) and relays.mails
    for push in office.browser.pushes:
        tells_nothing(push.plain + str(push.headers))
    for message in fcm.messages:
        tells_nothing(json.dumps(message, ensure_ascii=False))
    for mail in relays.mails:
        tells_nothing(mail.everything())
    assert service.failures == [] and service.strays == []
    home.tells_nothing(office.admin)
    for each in (service, fcm):
        each.close()
