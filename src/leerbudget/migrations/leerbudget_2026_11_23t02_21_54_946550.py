from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Array
from piccolo.columns.column_types import UUID
from piccolo.columns.column_types import Varchar
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check

ID = "2026-11-23T02:21:54:946550"
VERSION = "1.38.0"
DESCRIPTION = ""


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="leerbudget", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="Budget",
        tablename="budget",
        column_name="courses",
        db_column_name="courses",
        column_class_name="Array",
        column_class=Array,
        params={
            "default": None,
            "base_column": UUID(
                default=None,
                null=False,
                primary_key=False,
                unique=False,
                index=False,
                index_method=IndexMethod.btree,
                choices=None,
                db_column_name=None,
                secret=False,
            ),
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
        table_class_name="Budget",
        tablename="budget",
        column_name="municipalities",
        db_column_name="municipalities",
        column_class_name="Array",
        column_class=Array,
        params={
            "default": None,
            "base_column": Varchar(
                length=60,
                default="",
                null=False,
                primary_key=False,
                unique=False,
                index=False,
                index_method=IndexMethod.btree,
                choices=None,
                db_column_name=None,
                secret=False,
            ),
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
        table_class_name="GrantPolicy",
        tablename="grant_policy",
        column_name="courses",
        db_column_name="courses",
        column_class_name="Array",
        column_class=Array,
        params={
            "default": None,
            "base_column": UUID(
                default=None,
                null=False,
                primary_key=False,
                unique=False,
                index=False,
                index_method=IndexMethod.btree,
                choices=None,
                db_column_name=None,
                secret=False,
            ),
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
        table_class_name="GrantPolicy",
        tablename="grant_policy",
        column_name="municipalities",
        db_column_name="municipalities",
        column_class_name="Array",
        column_class=Array,
        params={
            "default": None,
            "base_column": Varchar(
                length=60,
                default="",
                null=False,
                primary_key=False,
                unique=False,
                index=False,
                index_method=IndexMethod.btree,
                choices=None,
                db_column_name=None,
                secret=False,
            ),
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

    manager.add_constraint(
        table_class_name="Budget",
        tablename="budget",
        constraint_name="budget_courses_are_named",
        constraint_class=Check,
        params={
            "condition": "cardinality(courses) > 0 AND array_position(courses, NULL) IS NULL"
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Budget",
        tablename="budget",
        constraint_name="budget_municipalities_are_named",
        constraint_class=Check,
        params={
            "condition": "cardinality(municipalities) > 0 AND array_position(municipalities, NULL) IS NULL"
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="GrantPolicy",
        tablename="grant_policy",
        constraint_name="policy_courses_are_named",
        constraint_class=Check,
        params={
            "condition": "cardinality(courses) > 0 AND array_position(courses, NULL) IS NULL"
        },
        schema=None,
    )

    manager.add_constraint(
        table_class_name="GrantPolicy",
        tablename="grant_policy",
        constraint_name="policy_municipalities_are_named",
        constraint_class=Check,
        params={
            "condition": "cardinality(municipalities) > 0 AND array_position(municipalities, NULL) IS NULL"
        },
        schema=None,
    )

    return manager
