"""Reading bank statements: what is booked, to the cent, and nothing that is not whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leerbudget.foundation.ids import new_id
from leerbudget.payments.bank_errors import (
    BankFileDefines,
    BankFileIncomplete,
    BankFileNotText,
    BankFileNotXml,
    BankFileTooLarge,
    BankFileUnknown,
    EntryTwiceInFile,
    OtherCurrency,
    StatementDoesNotAddUp,
)
from leerbudget.payments.camt import CAMT_VERSIONS, StatementEntry, read_statements, reference_on
from leerbudget.payments.rules import readable, reference_of
from payments.bank_world import Line, balance, camt, money, one, statement

BILLION_LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
RIGHT = one(Line(1_00, "A1"))

HOSTILE = {
    "a DTD": (camt(statement(), before="<!DOCTYPE x>"), BankFileDefines),
    "a billion laughs": (camt(statement(Line(100, "A", note="&b;")), before=BILLION_LAUGHS), BankFileDefines),
    "a file from outside": (
        camt(statement(), before='<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'),
        BankFileDefines,
    ),
    "an entity nobody defined": (one(Line(100, "A", note="&lol;")), BankFileNotXml),
    "Latin-1": (one(Line(100, "A", note="Café")).decode().encode("latin-1"), BankFileNotText),
    "UTF-16": (RIGHT.decode().encode("utf-16"), BankFileNotText),
    "half a file": (RIGHT[: len(RIGHT) // 2], BankFileNotXml),
    "nothing": (b"", BankFileNotXml),
    "a zero byte": (RIGHT.replace(b"A1", b"A\0"), BankFileNotXml),
    "no XML": (b"%PDF-1.7", BankFileNotXml),
    "ten megabytes": (RIGHT + b" " * 10_000_000, BankFileTooLarge),
    "another message": (RIGHT.replace(b"camt.053.001.08", b"camt.054.001.08"), BankFileUnknown),
    "a version of the future": (RIGHT.replace(b"camt.053.001.08", b"camt.053.001.13"), BankFileUnknown),
    "no namespace": (RIGHT.replace(b"xmlns", b"x"), BankFileUnknown),
    "no statement": (camt(), BankFileIncomplete),
    "no balance": (RIGHT.replace(b"OPBD", b"ITBD"), BankFileIncomplete),
    "an account that cannot be": (RIGHT.replace(b"NL41", b"NL42"), BankFileIncomplete),
    "an amount that is none": (RIGHT.replace(b">1.00<", b">1,00<"), BankFileIncomplete),
    "an amount below zero": (RIGHT.replace(b">1.00<", b">-1.00<"), BankFileIncomplete),
    "half a cent": (RIGHT.replace(b">1.00<", b">1.005<"), BankFileIncomplete),
    "digits of another script": (RIGHT.replace(b">1.00<", b">\xd9\xa1.\xd9\xa0\xd9\xa0<"), BankFileIncomplete),
    "a day that is none": (RIGHT.replace(b"2027-01-15", b"2027-02-30"), BankFileIncomplete),
    "no way": (RIGHT.replace(b"CRDT", b"BOTH"), BankFileIncomplete),
    "dollars": (RIGHT.replace(b'"EUR"', b'"USD"'), OtherCurrency),
    "dollars in one entry": (one(Line(100, "A1"), Line(100, "A2", currency="USD")), OtherCurrency),
    "a missing entry": (one(Line(100, "A1"), opening=0, closing=350), StatementDoesNotAddUp),
    "a wrong balance": (one(Line(100, "A1"), closing=99), StatementDoesNotAddUp),
    "parts that do not add up": (
        one(
            f"<Ntry>{money(300)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2027-01-15</Dt></BookgDt><NtryDtls>"
            f"{Line(100).details(own=money(100))}{Line(100).details(own=money(100))}</NtryDtls></Ntry>",
            closing=300,
        ),
        StatementDoesNotAddUp,
    ),
    "an entry twice": (one(Line(100, "A1"), Line(100, "A1")), EntryTwiceInFile),
    "an entry in two statements": (
        camt(statement(Line(100, "A1")), statement(Line(100, "A1"), number="2", opening=100)),
        EntryTwiceInFile,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_wrong_is_refused_by_its_own_name(name):
    """Each kind of wrong file has its own error, with one plain sentence."""
    file, error = HOSTILE[name]
    with pytest.raises(error) as refusal:
        read_statements(file)
    assert type(refusal.value) is error
    assert "…" not in str(refusal.value)


def test_a_very_deep_file_is_an_ordinary_refusal():
    """A hundred thousand elements inside each other exhaust nothing."""
    deep = b"<a>" * 100_000 + b"</a>" * 100_000
    with pytest.raises(BankFileUnknown):
        read_statements(deep)


@pytest.mark.parametrize("version", [int(name[-2:]) for name in CAMT_VERSIONS])
def test_every_version_says_the_same(version):
    """From version 2 to 12: an entry in, one out, one pending that does not count."""
    lines = (Line(12_345, "A1", note="dank"), Line(-45, "A2"), Line(9_00, "A3", status="PDNG"))
    (found,) = read_statements(one(*lines, version=version, opening=-1_00))
    assert [(e.bank_ref, e.cents, e.party_name) for e in found.entries] == [
        ("A1", 12_345, "Familie Voorbeeld (fictief)"),
        ("A2", -45, "Familie Voorbeeld (fictief)"),
    ]
    assert (found.opening_cents, found.closing_cents) == (-1_00, 122_00)


def test_a_batch_is_its_parts():
    """A batch with amounts is read part by part, also when a part goes the other way; one without is one entry."""
    parts = "".join(
        line.details(own=money(line.cents)) for line in (Line(500, note="een"), Line(-200), Line(700, note="drie"))
    )
    head = "<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2027-01-15</Dt></BookgDt>"
    batch = f"<Ntry>{money(1000)}{head}<AcctSvcrRef>B1</AcctSvcrRef><NtryDtls>{parts}</NtryDtls></Ntry>"
    silent = f"<Ntry>{money(50)}{head}<AcctSvcrRef>B2</AcctSvcrRef><NtryDtls>{Line(1).details()}{Line(1, note='x').details()}</NtryDtls></Ntry>"
    (found,) = read_statements(one(batch, silent, closing=1050))
    assert [(e.bank_ref, e.cents, e.note) for e in found.entries] == [
        ("B1/1", 500, "een"),
        ("B1/2", -200, None),
        ("B1/3", 700, "drie"),
        ("B2", 50, "x"),
    ]


def test_entries_without_a_reference_keep_one_of_their_own():
    """Twins of a day are two entries; the same day read again, among other days, gives the same references."""
    twin, other_day = Line(100, note="huur"), Line(100, note="huur", day="2027-01-16")
    first = read_statements(one(twin, twin))[0].entries
    again = read_statements(one(twin, other_day, twin, number="2"))[0].entries
    assert len({entry.bank_ref for entry in first}) == 2
    assert {entry.bank_ref for entry in first} < {entry.bank_ref for entry in again}


def entry(note=None, structured=None):
    """An entry of which only what the payer wrote matters."""
    day = read_statements(RIGHT)[0].closing_on
    return StatementEntry("A", 1, day, None, None, note, structured, None, None)


@given(st.uuids(), st.sampled_from(["", " ", ". ", "-"]), st.text("abc :/,", max_size=9), st.booleans())
def test_a_reference_is_found_however_it_was_written(payment, between, around, small):
    """In the structured field, or in the note with spaces, dots, small letters and words around it."""
    reference = reference_of(payment)
    groups = readable(reference).replace(" ", between)
    written = groups.lower() if small else groups
    assert reference_on(entry(note=f"{around} {written} {around}")) == reference
    assert reference_on(entry(structured=written.replace(".", "").replace("-", ""))) == reference


def test_a_note_with_two_references_names_none():
    """Two references, a wrong check digit, or digits too many: nobody guesses. The structured one goes first."""
    one_ref, two_ref = reference_of(new_id()), reference_of(new_id())
    assert reference_on(entry(f"{one_ref} en {two_ref}")) is None
    assert reference_on(entry(f"{one_ref} nogmaals {readable(one_ref)}")) == one_ref
    assert reference_on(entry(one_ref, structured=two_ref)) == two_ref
    assert reference_on(entry(one_ref, structured="7000 0001 2345 6789")) == one_ref
    wrong = one_ref[:-1] + str((int(one_ref[-1]) + 1) % 10)
    assert reference_on(entry(wrong)) is None
    assert reference_on(entry(f"{one_ref}7")) is None
    assert reference_on(entry("500000 euro")) is None


CENTS = st.integers(-99_999_999, 99_999_999).filter(bool)


@given(st.integers(-10_000_000, 10_000_000), st.lists(CENTS, max_size=8), st.data())
def test_what_adds_up_is_read_to_the_cent_and_what_does_not_is_refused(opening, amounts, data):
    """Any entries: all are read with their amounts; with any one left out, or any balance moved, the file is refused."""
    lines = [Line(cents, f"R{place}") for place, cents in enumerate(amounts)]
    (found,) = read_statements(one(*lines, opening=opening))
    assert [each.cents for each in found.entries] == amounts
    assert found.closing_cents == opening + sum(amounts)
    wrong = found.closing_cents + data.draw(CENTS)
    with pytest.raises(StatementDoesNotAddUp):
        read_statements(one(*lines, opening=opening, closing=wrong))
    if lines:
        gone = data.draw(st.sampled_from(lines))
        with pytest.raises(StatementDoesNotAddUp):
            read_statements(
                one(*(line for line in lines if line is not gone), opening=opening, closing=found.closing_cents)
            )


def test_the_previous_closing_balance_may_open_a_statement():
    """Some banks give the closing balance of the day before instead of an opening balance."""
    file = one(Line(100, "A1"), opening=500).replace(b"OPBD", b"PRCD")
    assert read_statements(file)[0].opening_cents == 500
    assert balance("PRCD", 500) in file.decode()
