"""What an amount, a text and a transfer must look like before the database is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.foundation.money import CENTS_MAX
from leerbudget.ledger.rules import TransferOrder, cents_fault, refuse, text_fault, transfer_faults


def an_order(**changes):
    fields = {
        "id": new_id(),
        "kind": "booking",
        "business_ref": "hold:1",
        "phase": "reserve",
        "debit": new_id(),
        "credit": new_id(),
        "amount_cents": 1,
    }
    return TransferOrder(**(fields | changes))


@given(st.integers(1, CENTS_MAX))
def test_every_whole_positive_amount_is_fine(cents):
    """From one cent to 2**53 - 1."""
    assert cents_fault(cents) is None


@given(
    st.booleans()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.none()
    | st.integers(max_value=0)
    | st.integers(CENTS_MAX + 1)
)
def test_nothing_else_is_an_amount(value):
    """Yes and no, fractions, text, nothing, too little and too much are refused, each with a sentence."""
    assert cents_fault(value)


@given(st.text(max_size=30))
def test_a_line_of_text_has_no_control_characters(line):
    """What passes can be stored and printed on one line: no NUL, no line break, no change of direction."""
    if text_fault(line, 20) is None:
        assert line.strip()
        assert len(line) <= 20
        assert not set(line) & set("\x00\n\r\t\x1b\u2028\u202e\ud800")
        line.encode()


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("amount_cents", {"amount_cents": True}),
        ("amount_cents", {"amount_cents": 1.0}),
        ("amount_cents", {"amount_cents": 0}),
        ("business_ref", {"business_ref": ""}),
        ("business_ref", {"business_ref": "x" * 121}),
        ("reason", {"reason": "a\x00"}),
        ("reason", {"kind": "correction"}),
        ("kind", {"kind": "gift"}),
        ("phase", {"phase": "maybe"}),
        ("resolves", {"phase": "void"}),
        ("resolves", {"resolves": new_id()}),
        ("credit", dict.fromkeys(("debit", "credit"), new_id())),
    ],
)
def test_a_malformed_transfer_says_where(path, changes):
    """Every malformed field is named, and a good transfer names none."""
    refuse(list(transfer_faults(an_order())))
    with pytest.raises(InvalidInput) as refused:
        refuse(list(transfer_faults(an_order(**changes), "3.")))
    assert [error["path"] for error in refused.value.data["errors"]] == [f"3.{path}"]
