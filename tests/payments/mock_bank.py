"""The other end: a bank from PyPI in a process of its own, with a clock that tests move."""

import re
import subprocess
import sys
from contextlib import contextmanager

import httpx

OWN_IBAN = "NL41MOCK0000000001"
CLOSED_IBAN = "NL84MOCK0000000003"
ELSEWHERE_IBAN = "NL30MOCK0000000005"


class MockBank:
    """What a test asks of the bank."""

    def __init__(self, address):
        self.http = httpx.Client(base_url=address, timeout=20)

    def fresh(self):
        """As it was at the start."""
        self.http.post("/_mock/reset").raise_for_status()
        self.http.get("/_mock/mailbox")

    def orders(self, file):
        """Send a payment order; the status of the file."""
        return self.http.post("/payments", content=file).status_code

    def pays_us(self, cents, **said):
        """A stranger pays into our account."""
        payer = {"name": "Familie Voorbeeld (fictief)", "iban": "NL14MOCK0000000002"}
        self.http.post(
            "/_mock/credits", json={"account": "ACME", "amount": cents, "debtor": payer, **said}
        ).raise_for_status()

    def behaves(self, account, behaviour, **parameters):
        """From now on the account does this."""
        self.http.patch(
            f"/_mock/accounts/{account}", json={"behaviour": behaviour, "parameters": parameters}
        ).raise_for_status()

    def days_pass(self, days):
        """The bank's clock moves on."""
        self.http.post("/_mock/advance", params={"days": days}).raise_for_status()

    def says(self, kind):
        """The messages of a kind about our account that were not collected yet, oldest first."""
        found = self.http.get("/_mock/mailbox", params={"type": kind}).json()
        bodies = [each.get("body") or each.get("xml") for each in found]
        return [body.encode() for body in bodies if kind != "camt.053" or OWN_IBAN in body]


@contextmanager
def running(clock):
    """A bank at this moment, on a free port."""
    command = [sys.executable, "-m", "mockbank", "--port", "0", "--clock", clock]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as bank:
        try:
            yield MockBank(re.search(r"http://\S+:\d+", bank.stderr.readline())[0])
        finally:
            bank.terminate()
            bank.stderr.close()
