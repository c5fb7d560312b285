"""Which gateways an installation has follows from its settings, and from nothing else."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import leerbudget
from leerbudget.foundation.settings import Settings
from leerbudget.payments.choosing import gateways

SRC = Path(leerbudget.__file__).parent
STRIPE = {"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_a"}
SANDBOX = {"LEERBUDGET_SANDBOX_URL": "http://127.0.0.1:8090"}
PRODUCTION = {
    "LEERBUDGET_ENV": "production",
    "LEERBUDGET_DATABASE_URL": "postgresql://leerbudget_app:pw@db/leerbudget",
    "LEERBUDGET_BASE_URL": "https://leerbudget.example.org/",
    "LEERBUDGET_SECRET_KEY": "k" * 32,
    "STRIPE_SECRET_KEY": "sk_live_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_a",
}


class Manual:
    """Stands for the gateway of bank transfers."""

    name = "manual"


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, ["manual"]),
        (SANDBOX, ["manual", "sandbox"]),
        (STRIPE, ["manual", "stripe"]),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_a"}, ["manual"]),
        (STRIPE | SANDBOX, ["manual", "stripe", "sandbox"]),
        (SANDBOX | {"LEERBUDGET_ENV": "test"}, ["manual", "sandbox"]),
        (PRODUCTION, ["manual", "stripe"]),
    ],
)
def test_settings_choose_the_gateways(environment, names):
    """Bank transfer always, the imitation where its address is set, Stripe with both its keys."""
    found = gateways(Settings.from_environment(environment), manual=Manual())
    assert list(found) == names
    assert [gateway.name for gateway in found.values()] == names


def test_without_a_transfer_there_may_be_none():
    """Who gives no gateway for transfers and has no keys has no gateway."""
    assert gateways(Settings.from_environment({}), manual=None) == {}


def test_who_has_no_stripe_does_not_load_it():
    """Choosing without keys imports neither the library nor what speaks to it: that takes a second."""
    asked = (
        "import sys\n"
        "from leerbudget.foundation.settings import Settings\n"
        "from leerbudget.payments.choosing import gateways\n"
        "gateways(Settings.from_environment({}), manual=None)\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'stripe', 'httpx'}])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nobody_loads_stripe_at_the_start():
    """No module imports the gateway to Stripe at its top: only `choosing` does, when settings say so."""
    naming = [text for path in SRC.rglob("*.py") if "stripe_gateway" in (text := path.read_text())]
    top = [node for text in naming for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert naming
    assert [node for node in top if "stripe_gateway" in ast.unparse(node)] == []
