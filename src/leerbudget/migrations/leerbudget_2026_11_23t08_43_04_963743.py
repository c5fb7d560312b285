from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.base import OnDelete
from piccolo.columns.base import OnUpdate
from piccolo.columns.column_types import BigInt
from piccolo.columns.column_types import ForeignKey
from piccolo.columns.column_types import Timestamptz
from piccolo.columns.column_types import UUID
from piccolo.columns.column_types import Varchar
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check
from piccolo.constraints import Unique
from piccolo.table import Table


class Booking(Table, tablename="booking", schema=None):
    id = UUID(
        default=None,
        null=False,
        primary_key=True,
        unique=False,
        index=False,
        index_method=IndexMethod.btree,
        choices=None,
        db_column_name=None,
        secret=False,
    )


ID = "2026-11-23T08:43:04:963743"
VERSION = "1.38.0"
DESCRIPTION = "Families pay a share themselves"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="leerbudget", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="BudgetHold",
        tablename="budget_hold",
        column_name="payer",
        db_column_name="payer",
        column_class_name="Varchar",
        column_class=Varchar,
        params={
            "length": 10,
            "default": "budget",
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Booking",
        tablename="booking",
        column_name="own_cents",
        db_column_name="own_cents",
        column_class_name="BigInt",
        column_class=BigInt,
        params={
            "default": 0,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Booking",
        tablename="booking",
        column_name="own_paid_at",
        db_column_name="own_paid_at",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.add_column(
        table_class_name="Payment",
        tablename="payment",
        column_name="booking",
        db_column_name="booking",
        column_class_name="ForeignKey",
        column_class=ForeignKey,
        params={
            "references": Booking,
            "on_delete": OnDelete.restrict,
            "on_update": OnUpdate.restrict,
            "target_column": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    manager.alter_column(
        table_class_name="BudgetHold",
        tablename="budget_hold",
        column_name="budget",
        db_column_name="budget",
        params={"null": True},
        old_params={"null": False},
        column_class=ForeignKey,
        old_column_class=ForeignKey,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Payment",
        tablename="payment",
        column_name="organisation",
        db_column_name="organisation",
        params={"null": True},
        old_params={"null": False},
        column_class=ForeignKey,
        old_column_class=ForeignKey,
        schema=None,
    )

    manager.add_constraint(
        table_class_name="BudgetHold",
        tablename="budget_hold",
        constraint_name="hold_payer_is_known",
        constraint_class=Check,
        params={"condition": "payer IN ('budget', 'own', 'rounding')"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="BudgetHold",
        tablename="budget_hold",
        constraint_name="only_budgets_have_an_id",
        constraint_class=Check,
        params={"condition": "(payer = 'budget') = (budget IS NOT NULL)"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Booking",
        tablename="booking",
        constraint_name="own_share_within_price",
        constraint_class=Check,
        params={"condition": "own_cents BETWEEN 0 AND price_cents"},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Booking",
        tablename="booking",
        constraint_name="unpaid_seats_are_only_kept",
        constraint_class=Check,
        params={
            "condition": "own_cents = 0 OR own_paid_at IS NOT NULL OR state NOT IN ('confirmed', 'attended', 'no_show')"
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Payment",
        tablename="payment",
        constraint_name="one_payment_per_booking",
        constraint_class=Unique,
        params={"columns": ["booking"], "nulls_distinct": True},
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Payment",
        tablename="payment",
        constraint_name="payment_is_for_one_thing",
        constraint_class=Check,
        params={"condition": "num_nonnulls(organisation, booking) = 1"},
        schema=None,
    )

    return manager
