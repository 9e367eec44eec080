"""An account whose payments, charges and refunds are localstripe's; the pages, which it does not have, are ours."""

import json
import subprocess
import sys
import urllib.parse
import urllib.request

from house import free_port, until
from peers.stripe_api import SECRET, Stripe

# It would listen on every address.
ON_LOOPBACK = """
import sys
from aiohttp import web
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
"""


class LocalStripe(Stripe):
    key, livemode = "sk_test_peer", False

    def __init__(self):
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_LOOPBACK, str(self.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until("localstripe answers", self._is_ready, 30)
        super().__init__()

    def close(self):
        self.process.kill()
        self.process.wait()
        super().close()

    def tell(self, url):
        """From now on localstripe itself tells a server of what happens there."""
        self.there("POST", "/_config/webhooks/w1", {"url": url, "secret": SECRET})

    def there(self, method, path, fields=()):
        """Asks localstripe, as a form."""
        form = urllib.parse.urlencode(fields)
        address = f"http://127.0.0.1:{self.port}{path}" + (f"?{form}" if method == "GET" and form else "")
        body = form.encode() if method == "POST" else None
        request = urllib.request.Request(address, body, {"Authorization": f"Bearer {self.key}"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = answer.read()
            return json.loads(said) if said.startswith(b"{") else said

    def _is_ready(self):
        try:
            return self.there("GET", "/v1/customers")
        except OSError:
            return False

    def _charged(self, amount, settled, metadata):
        fields = [("amount", amount), ("currency", "eur"), ("payment_method", "pm_card_visa"), ("confirm", "true")]
        fields += [(f"metadata[{name}]", value) for name, value in metadata.items()]
        return self.there("POST", "/v1/payment_intents", fields)["id"]

    def _payment(self, payment_id):
        return self.there("GET", f"/v1/payment_intents/{payment_id}", [("expand[]", "latest_charge")])

    def _refund(self, fields):
        # It does not know `reason`, which the description has judged already.
        form = [(name, value) for name, value in fields.items() if name not in ("metadata", "reason")]
        form += [(f"metadata[{name}]", value) for name, value in fields["metadata"].items()]
        refund = self.there("POST", "/v1/refunds", form)
        self.refunds[refund["id"]] = refund
        return 200, refund

    def _refunds_of(self, payment_id):
        return self.there("GET", "/v1/refunds", [("payment_intent", payment_id)])["data"]
