"""What several tests of the foundation use."""

import pytest


@pytest.fixture
async def things(world_db, admin):
    """A table with a check, a key and a constraint that only fires at COMMIT."""
    await admin.execute("""
        SET ROLE leerbudget_owner;
        CREATE TABLE thing (
            name text PRIMARY KEY,
            amount int NOT NULL DEFAULT 0,
            parent text CONSTRAINT thing_parent REFERENCES thing DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT thing_amount CHECK (amount >= 0)
        );
        RESET ROLE;
    """)
    return admin
