"""Settings from the environment: read once, checked at start-up, every mistake named in one sentence."""

import ipaddress
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_type_hints
from urllib.parse import urlsplit

from stdnum import iban
from stdnum.nl import btw

from leerbudget.foundation.errors import SettingsError

Environment = Literal["demo", "test", "production"]

SECRET_KEY_LENGTH_MIN = 32


def default_data_dir(env: Mapping[str, str]) -> Path:
    """The platform's place for a program's data; for root a place that an unprivileged server can reach."""
    if os.geteuid() == 0:
        return Path("/var/lib/leerbudget")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "leerbudget"
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "leerbudget"


def _postgres_url(value: str) -> str:
    if urlsplit(value).scheme not in {"postgresql", "postgres"}:
        raise ValueError("begint niet met postgresql://")
    return value


def _web_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is geen webadres zoals https://leerbudget.example.org")
    return value.rstrip("/")


def _loopback_url(value: str) -> str:
    if urlsplit(_web_url(value)).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError("is geen adres op deze machine zoals http://127.0.0.1:8090")
    return value.rstrip("/")


def _smtp_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("is geen adres zoals smtp://naam:wachtwoord@mail.example.org:587")
    _ = parts.port  # a port that is no number is a ValueError
    return value


def _environment(value: str) -> str:
    if value not in {"demo", "test", "production"}:
        raise ValueError("moet demo, test of production zijn")
    return value


def _secret_key(value: str) -> str:
    if len(value) < SECRET_KEY_LENGTH_MIN:
        raise ValueError(f"is korter dan {SECRET_KEY_LENGTH_MIN} tekens")
    return value


def _stripe_key(value: str) -> str:
    if not value.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        raise ValueError("is geen geheime sleutel van Stripe (sk_… of rk_…)")
    return value


def _iban(value: str) -> str:
    if not iban.is_valid(value):
        raise ValueError("is geen geldig rekeningnummer (IBAN)")
    return str(iban.compact(value))


def _kvk(value: str) -> str:
    if not (value.isascii() and value.isdigit() and len(value) == 8):
        raise ValueError("is geen KvK-nummer van acht cijfers")
    return value


def _vat_id(value: str) -> str:
    if not btw.is_valid(value):
        raise ValueError("is geen geldig btw-nummer")
    return f"NL{btw.compact(value)}"


def _postcode(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{3} ?[A-Z]{2}", value, re.ASCII):
        raise ValueError("is geen postcode zoals 1234 AB")
    return f"{value[:4]} {value[-2:]}"


def _list(value: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in value.split(","))
    if not all(parts):
        raise ValueError("bevat een leeg deel tussen de komma's")
    return parts


def _webhook_secrets(value: str) -> tuple[str, ...]:
    if not all(part.startswith("whsec_") for part in _list(value)):
        raise ValueError("moet bestaan uit geheimen die met whsec_ beginnen")
    return _list(value)


def _networks(value: str) -> tuple[str, ...]:
    for part in _list(value):
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise ValueError(f"'{part}' is geen IP-adres of netwerk") from None
    return _list(value)


def _directory(value: str) -> Path:
    return Path(value).expanduser().absolute()


@dataclass(frozen=True)
class Setting:
    """How one field comes from the environment; empty counts as unset."""

    variable: str
    read: Callable[[str], Any]
    meaning: str
    default: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """Everything that differs between one installation and the next. `repr` shows no values.

    Each field's annotation names its variable and says what it means.
    """

    environment: Annotated[
        Environment, Setting("LEERBUDGET_ENV", _environment, "Soort installatie: demo, test of production.", "demo")
    ]
    database_url: Annotated[
        str | None,
        Setting(
            "LEERBUDGET_DATABASE_URL",
            _postgres_url,
            "Database waarmee de toepassing werkt (PostgreSQL 18 of nieuwer, een gewone rol). "
            "Niet gezet: een eigen, ingebouwde PostgreSQL in LEERBUDGET_DATA_DIR.",
        ),
    ]
    worker_url: Annotated[
        str | None,
        Setting(
            "LEERBUDGET_WORKER_URL",
            _postgres_url,
            "Dezelfde database met de rol voor achtergrondwerk (leerbudget_worker), die langer bezig mag zijn. "
            "Niet gezet: die van LEERBUDGET_DATABASE_URL.",
        ),
    ]
    owner_url: Annotated[
        str | None,
        Setting(
            "LEERBUDGET_OWNER_URL",
            _postgres_url,
            "Dezelfde database met de rol die rollen en tabellen maakt; alleen nodig voor 'leerbudget migrate'.",
        ),
    ]
    data_dir: Annotated[
        Path,
        Setting(
            "LEERBUDGET_DATA_DIR",
            _directory,
            "Map voor de ingebouwde database. Standaard de gegevensmap van het systeem; "
            "voor root is dat /var/lib/leerbudget.",
        ),
    ]
    pg_bin: Annotated[
        str | None,
        Setting("LEERBUDGET_PG_BIN", str, "Map met de programma's van PostgreSQL 18, in plaats van de meegeleverde."),
    ]
    base_url: Annotated[
        str,
        Setting(
            "LEERBUDGET_BASE_URL",
            _web_url,
            "Adres waarop mensen de website bereiken; staat in mails. In production met https.",
            "http://127.0.0.1:8000",
        ),
    ]
    secret_key: Annotated[
        str | None,
        Setting(
            "LEERBUDGET_SECRET_KEY",
            _secret_key,
            f"Geheim van ten minste {SECRET_KEY_LENGTH_MIN} tekens voor handtekeningen. Verplicht in production.",
        ),
    ]
    smtp_url: Annotated[
        str | None,
        Setting(
            "LEERBUDGET_SMTP_URL",
            _smtp_url,
            "Mailserver. Niet gezet in demo: mails verschijnen op de pagina met de lokale postbus.",
        ),
    ]
    stripe_secret_key: Annotated[
        str | None,
        Setting(
            "STRIPE_SECRET_KEY", _stripe_key, "Geheime sleutel van Stripe. Niet gezet: geen betalingen via Stripe."
        ),
    ]
    stripe_webhook_secrets: Annotated[
        tuple[str, ...],
        Setting(
            "STRIPE_WEBHOOK_SECRET",
            _webhook_secrets,
            "Geheim van het Stripe-webhookadres; meer dan één, met komma's, bij het wisselen.",
        ),
    ]
    stripe_api_base: Annotated[
        str | None,
        Setting("STRIPE_API_BASE", _web_url, "Ander adres voor Stripe, voor tests tegen een nagebouwde server."),
    ]
    sandbox_url: Annotated[
        str | None,
        Setting(
            "LEERBUDGET_SANDBOX_URL",
            _loopback_url,
            "Adres van de nagebootste betaaldienst ('leerbudget sandbox'); alleen in demo en test.",
        ),
    ]
    bank_iban: Annotated[
        str | None,
        Setting(
            "LEERBUDGET_BANK_IBAN",
            _iban,
            "Bankrekening van het programma (IBAN). Niet gezet: geen afschriften en geen uitbetalingen.",
        ),
    ]
    bank_holder: Annotated[
        str,
        Setting("LEERBUDGET_BANK_HOLDER", str, "Naam waarop die bankrekening staat.", "Leerbudget"),
    ]
    programme_name: Annotated[
        str | None,
        Setting(
            "LEERBUDGET_PROGRAMME_NAME",
            str,
            "Wie het programma is, zoals in het handelsregister. Staat met de vijf hierna op facturen; "
            "niet alle zes gezet: in production geen e-facturen en geen facturen voor trainers.",
        ),
    ]
    programme_street: Annotated[
        str | None, Setting("LEERBUDGET_PROGRAMME_STREET", str, "Straat en nummer van het programma.")
    ]
    programme_postcode: Annotated[
        str | None, Setting("LEERBUDGET_PROGRAMME_POSTCODE", _postcode, "Postcode van het programma.")
    ]
    programme_place: Annotated[
        str | None, Setting("LEERBUDGET_PROGRAMME_PLACE", str, "Vestigingsplaats van het programma.")
    ]
    programme_kvk: Annotated[
        str | None, Setting("LEERBUDGET_PROGRAMME_KVK", _kvk, "KvK-nummer van het programma (acht cijfers).")
    ]
    programme_vat_id: Annotated[
        str | None, Setting("LEERBUDGET_PROGRAMME_VAT_ID", _vat_id, "Btw-nummer van het programma.")
    ]
    trusted_proxies: Annotated[
        tuple[str, ...],
        Setting(
            "LEERBUDGET_TRUSTED_PROXIES",
            _networks,
            "IP-adressen of netwerken, met komma's, van proxy's waarvan X-Forwarded-For wordt geloofd.",
        ),
    ]
    test_clock: Annotated[
        Path | None,
        Setting(
            "LEERBUDGET_TEST_CLOCK",
            _directory,
            "Bestand met een tijdstip dat als nu geldt. Alleen met LEERBUDGET_ENV=test.",
        ),
    ]

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Self:
        """The settings, each read and checked, and checked against each other.

        Raises:
            SettingsError: one line that names every setting that is wrong and why.
        """
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for name, setting in _settings_by_field(cls).items():
            text = env.get(setting.variable, "").strip() or setting.default
            try:
                values[name] = _unset(name, env) if text is None else setting.read(text)
            except ValueError as reason:
                values[name] = _unset(name, env)
                wrong.append(f"{setting.variable} {reason}")
        settings = cls(**values)
        wrong += _contradictions(settings, {part.split(" ", 1)[0] for part in wrong})
        if wrong:
            raise SettingsError(message="Instellingen kloppen niet: " + "; ".join(wrong) + ".")
        return settings


def _unset(name: str, env: Mapping[str, str]) -> Any:
    """What an unset setting is."""
    if name == "data_dir":
        return default_data_dir(env)
    return () if name in {"stripe_webhook_secrets", "trusted_proxies"} else None


def _contradictions(settings: Settings, named: set[str]) -> list[str]:
    """What is wrong between settings, leaving out the ones already named."""
    wrong: list[str] = []

    def check(variable: str, mistaken: bool, reason: str) -> None:  # noqa: FBT001 - reads as a sentence below
        if mistaken and variable not in named:
            named.add(variable)
            wrong.append(f"{variable} {reason}")

    production = settings.environment == "production"
    live = (settings.stripe_secret_key or "").startswith(("sk_live_", "rk_live_"))
    check("LEERBUDGET_DATABASE_URL", production and not settings.database_url, "is verplicht in production")
    check("LEERBUDGET_SECRET_KEY", production and not settings.secret_key, "is verplicht in production")
    https = (settings.base_url or "").startswith("https://")
    check("LEERBUDGET_BASE_URL", production and not https, "moet in production met https:// beginnen")
    has_stripe = settings.stripe_secret_key is not None
    check("STRIPE_WEBHOOK_SECRET", has_stripe and not settings.stripe_webhook_secrets, "hoort bij STRIPE_SECRET_KEY")
    check("STRIPE_SECRET_KEY", live and not production, "is een echte sleutel; die mag alleen in production")
    check("STRIPE_SECRET_KEY", has_stripe and production and not live, "is een testsleutel; die mag niet in production")
    check("STRIPE_API_BASE", production and settings.stripe_api_base is not None, "mag niet in production")
    check("LEERBUDGET_SANDBOX_URL", production and settings.sandbox_url is not None, "mag niet in production")
    wants_clock = settings.test_clock is not None
    check("LEERBUDGET_TEST_CLOCK", wants_clock and settings.environment != "test", "mag alleen met LEERBUDGET_ENV=test")
    embedded = settings.database_url is None
    check("LEERBUDGET_OWNER_URL", embedded and settings.owner_url is not None, "hoort bij LEERBUDGET_DATABASE_URL")
    check("LEERBUDGET_WORKER_URL", embedded and settings.worker_url is not None, "hoort bij LEERBUDGET_DATABASE_URL")
    return wrong


def _settings_by_field(cls: type[Settings]) -> dict[str, Setting]:
    return {name: hint.__metadata__[0] for name, hint in get_type_hints(cls, include_extras=True).items()}


def documented_settings() -> list[Setting]:
    """Every setting in order, for the documentation and its test."""
    return list(_settings_by_field(Settings).values())
