"""Settings from the environment: what is right passes, what is wrong is named."""

import os
from pathlib import Path

import pytest

from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.settings import Settings, default_data_dir, documented_settings

PRODUCTION = {
    "LEERBUDGET_ENV": "production",
    "LEERBUDGET_DATABASE_URL": "postgresql://leerbudget_app:pw@db/leerbudget",
    "LEERBUDGET_BASE_URL": "https://leerbudget.example.org/",
    "LEERBUDGET_SECRET_KEY": "k" * 32,
}
STRIPE_TEST = {"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_a, whsec_b"}
STRIPE_LIVE = {"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": "whsec_a"}


def test_nothing_set_is_a_working_demonstration():
    """Without any setting the program is a demonstration with its own database."""
    settings = Settings.from_environment({"HOME": "/home/anna"})
    assert settings.environment == "demo"
    assert settings.database_url is None
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.trusted_proxies == ()
    assert settings.data_dir.is_absolute()


def test_everything_set_is_read():
    """Each variable arrives in its field, as the type it should be."""
    settings = Settings.from_environment(
        PRODUCTION
        | STRIPE_LIVE
        | {
            "LEERBUDGET_OWNER_URL": "postgres://owner@db/leerbudget",
            "LEERBUDGET_WORKER_URL": "postgres://worker@db/leerbudget",
            "LEERBUDGET_DATA_DIR": "/data dir",
            "LEERBUDGET_PG_BIN": "/opt/pg/bin",
            "LEERBUDGET_SMTP_URL": "smtps://u:p@mail.example.org:465",
            "LEERBUDGET_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        }
    )
    assert settings.base_url == "https://leerbudget.example.org"
    assert settings.data_dir == Path("/data dir")
    assert settings.stripe_webhook_secrets == ("whsec_a",)
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.smtp_url == "smtps://u:p@mail.example.org:465"
    demo = Settings.from_environment({"LEERBUDGET_SANDBOX_URL": "http://127.0.0.1:8090/"})
    assert demo.sandbox_url == "http://127.0.0.1:8090"
    clock = {"LEERBUDGET_ENV": "test", "LEERBUDGET_TEST_CLOCK": "/now"}
    assert Settings.from_environment(clock).test_clock == Path("/now")


WRONG = {
    "unknown environment": ({"LEERBUDGET_ENV": "prod"}, "LEERBUDGET_ENV"),
    "other database": ({"LEERBUDGET_DATABASE_URL": "mysql://x"}, "LEERBUDGET_DATABASE_URL"),
    "no address": ({"LEERBUDGET_BASE_URL": "leerbudget.nl"}, "LEERBUDGET_BASE_URL"),
    "address with query": ({"LEERBUDGET_BASE_URL": "https://x/?a=b"}, "LEERBUDGET_BASE_URL"),
    "short secret": ({"LEERBUDGET_SECRET_KEY": "k" * 31}, "LEERBUDGET_SECRET_KEY"),
    "mail by web": ({"LEERBUDGET_SMTP_URL": "https://mail"}, "LEERBUDGET_SMTP_URL"),
    "mail port": ({"LEERBUDGET_SMTP_URL": "smtp://mail:many"}, "LEERBUDGET_SMTP_URL"),
    "proxy": ({"LEERBUDGET_TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, "LEERBUDGET_TRUSTED_PROXIES"),
    "empty proxy": ({"LEERBUDGET_TRUSTED_PROXIES": "10.0.0.1,,"}, "LEERBUDGET_TRUSTED_PROXIES"),
    "publishable key": (STRIPE_TEST | {"STRIPE_SECRET_KEY": "pk_test_x"}, "STRIPE_SECRET_KEY"),
    "webhook secret": (STRIPE_TEST | {"STRIPE_WEBHOOK_SECRET": "secret"}, "STRIPE_WEBHOOK_SECRET"),
    "no webhook secret": ({"STRIPE_SECRET_KEY": "sk_test_x"}, "STRIPE_WEBHOOK_SECRET"),
    "live key in demo": (STRIPE_LIVE, "STRIPE_SECRET_KEY"),
    "live restricted key in test": (
        STRIPE_LIVE | {"STRIPE_SECRET_KEY": "rk_live_x", "LEERBUDGET_ENV": "test"},
        "STRIPE_SECRET_KEY",
    ),
    "test key in production": (PRODUCTION | STRIPE_TEST, "STRIPE_SECRET_KEY"),
    "other Stripe in production": (PRODUCTION | STRIPE_LIVE | {"STRIPE_API_BASE": "http://x"}, "STRIPE_API_BASE"),
    "sandbox in production": (
        PRODUCTION | {"LEERBUDGET_SANDBOX_URL": "http://127.0.0.1:8090"},
        "LEERBUDGET_SANDBOX_URL",
    ),
    "sandbox elsewhere": ({"LEERBUDGET_SANDBOX_URL": "http://stripe.example.org"}, "LEERBUDGET_SANDBOX_URL"),
    "clock in demo": ({"LEERBUDGET_TEST_CLOCK": "/now"}, "LEERBUDGET_TEST_CLOCK"),
    "clock in production": (PRODUCTION | {"LEERBUDGET_TEST_CLOCK": "/now"}, "LEERBUDGET_TEST_CLOCK"),
    "production without database": (PRODUCTION | {"LEERBUDGET_DATABASE_URL": ""}, "LEERBUDGET_DATABASE_URL"),
    "production without secret": (PRODUCTION | {"LEERBUDGET_SECRET_KEY": " "}, "LEERBUDGET_SECRET_KEY"),
    "production without https": (PRODUCTION | {"LEERBUDGET_BASE_URL": "http://x"}, "LEERBUDGET_BASE_URL"),
    "production without address": (PRODUCTION | {"LEERBUDGET_BASE_URL": ""}, "LEERBUDGET_BASE_URL"),
    "owner without database": ({"LEERBUDGET_OWNER_URL": "postgres://x"}, "LEERBUDGET_OWNER_URL"),
    "worker without database": ({"LEERBUDGET_WORKER_URL": "postgres://x"}, "LEERBUDGET_WORKER_URL"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_setting_is_named_once(kind):
    """A wrong value, or one that does not fit the others, is one line that names exactly that variable."""
    environment, variable = WRONG[kind]
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(environment)
    line = str(caught.value)
    assert "\n" not in line
    assert line.count(variable + " ") == 1
    others = {setting.variable for setting in documented_settings()} - {variable}
    assert not [other for other in others if f"; {other} " in line or f": {other} " in line]


def test_all_mistakes_are_told_at_once():
    """Someone with four wrong settings sees all four in one go, and no secret value."""
    environment = {
        "LEERBUDGET_ENV": "production",
        "LEERBUDGET_SECRET_KEY": "geheimpje",
        "STRIPE_SECRET_KEY": "sk_test_geheimpje",
        "LEERBUDGET_TRUSTED_PROXIES": "x",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(environment)
    for variable in (*environment, "LEERBUDGET_DATABASE_URL", "LEERBUDGET_BASE_URL", "STRIPE_WEBHOOK_SECRET"):
        assert (variable in str(caught.value)) == (variable != "LEERBUDGET_ENV")
    assert "geheimpje" not in str(caught.value)


def test_settings_show_no_secrets():
    """Printing the settings shows no value at all."""
    assert "pw" not in repr(Settings.from_environment(PRODUCTION))


def test_the_data_directory_follows_the_platform(monkeypatch):
    """Root gets a place that an unprivileged server can reach, others their own data directory."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir({}) == Path("/var/lib/leerbudget")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("sys.platform", "linux")
    assert default_data_dir({"XDG_DATA_HOME": "/x"}) == Path("/x/leerbudget")
    assert default_data_dir({}) == Path.home() / ".local/share/leerbudget"
    monkeypatch.setattr("sys.platform", "darwin")
    assert default_data_dir({}) == Path.home() / "Library/Application Support/leerbudget"


def test_every_setting_is_documented():
    """Each field has its own variable and a meaning in a sentence."""
    settings = documented_settings()
    assert len({setting.variable for setting in settings}) == len(settings) == len(Settings.__dataclass_fields__)
    assert all(len(setting.meaning) > 20 and setting.meaning.endswith(".") for setting in settings)
