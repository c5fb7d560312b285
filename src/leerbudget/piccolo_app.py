"""One Piccolo app over all rooms: one list of tables, one linear history of migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

ROOMS = (
    "identity",
    "notifications",
    "ledger",
    "people",
    "trainers",
    "catalogue",
    "wishes",
    "budgets",
    "bookings",
    "payments",
    "papers",
    "rounds",
)

APP_CONFIG = AppConfig(
    app_name="leerbudget",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(
        [*(f"leerbudget.{room}.tables" for room in ROOMS), "leerbudget.payments.bank_tables"], exclude_imported=True
    ),
)
