"""Which gateways an installation has: what its settings say, and nothing by accident."""

from leerbudget.foundation.settings import Settings
from leerbudget.payments.gateways import Gateway
from leerbudget.payments.pain import OwnAccount

SANDBOX_KEY = "sk_test_fictief"
SANDBOX_WEBHOOK_SECRET = "whsec_fictief"  # noqa: S105 - an imitation on this machine; what it says is looked up, not believed

EXAMPLE = OwnAccount("NL91ABNA0417164300", "Stichting Leerbudget (fictief)")
"""The account of the programme where none is set and no money is real: the well-known example of Dutch banks."""


def own_account(settings: Settings) -> OwnAccount | None:
    """The programme's own bank account. In production only what was set; else an example stands in for it."""
    if settings.bank_iban is not None:
        return OwnAccount(settings.bank_iban, settings.bank_holder)
    return None if settings.environment == "production" else EXAMPLE


def gateways(settings: Settings, *, manual: Gateway | None) -> dict[str, Gateway]:
    """The gateways by name, in the order in which they are offered.

    Bank transfer is always there. `sandbox` only outside production and when its address is set; `stripe` only with
    both its keys. The library of Stripe is loaded only for these two: it takes a second.
    """
    found: dict[str, Gateway] = {} if manual is None else {manual.name: manual}
    if settings.stripe_secret_key is not None and settings.stripe_webhook_secrets:
        found["stripe"] = _stripe(
            settings, "stripe", settings.stripe_secret_key, settings.stripe_webhook_secrets, settings.stripe_api_base
        )
    if settings.sandbox_url is not None and settings.environment != "production":
        found["sandbox"] = _stripe(settings, "sandbox", SANDBOX_KEY, (SANDBOX_WEBHOOK_SECRET,), settings.sandbox_url)
    return found


def _stripe(settings: Settings, name: str, key: str, secrets: tuple[str, ...], api_base: str | None) -> Gateway:
    from leerbudget.payments.stripe_gateway import StripeGateway  # noqa: PLC0415 - a second, for who has no Stripe

    return StripeGateway(key, secrets, name=name, environment=settings.environment, api_base=api_base)
