"""VAT in amounts that include it, and what stands on a line: whatever was earned, it adds up to the cent."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.browsing import settings_for
from leerbudget.papers.rules import (
    EXAMPLE,
    LINE_KINDS,
    PERCENT,
    Agreement,
    Earned,
    Party,
    code_of,
    in_force,
    lines_of,
    net_of,
    nets_of,
    next_month,
    party_faults,
    programme,
    tidy,
    treatment_faults,
    vat_sums,
)

CENTS = st.integers(min_value=-(10**9), max_value=10**9)
SESSIONS = st.sampled_from([None, UUID(int=1), UUID(int=2), UUID(int=3)])
TREATED = st.sampled_from([("standard_21", None), ("exempt", "art. 11"), ("exempt", "art. 25")])
MONTHS = st.sampled_from([None, date(2027, 1, 1), date(2027, 2, 1)])
NUMBERS = {date(2027, 1, 1): 1, date(2027, 2, 1): 2}


@st.composite
def somebody_earned(draw):
    """Something that was earned, or came back."""
    treatment, basis = draw(TREATED)
    kind, session = draw(st.sampled_from(LINE_KINDS)), draw(SESSIONS)
    return Earned(kind, draw(CENTS), session, None, date(2027, 2, 3), treatment, basis, draw(MONTHS))


@given(st.lists(somebody_earned(), max_size=12))
def test_net_and_vat_make_the_gross_on_every_line_and_in_every_sum(earned):
    """For anything that was earned: each line, each rate and the whole add up, and no cent is lost or made."""
    lines = lines_of(earned, NUMBERS)
    assert sum(line.gross_cents for line in lines) == sum(each.cents for each in earned)
    for part in (*lines, *vat_sums(lines)):
        assert part.gross_cents == part.net_cents + part.vat_cents
    for each in vat_sums(lines):
        assert each.net_cents == net_of(each.gross_cents, PERCENT[each.treatment])
        assert each.treatment != "exempt" or each.vat_cents == 0
        own = [line for line in lines if (line.treatment, line.legal_basis) == (each.treatment, each.legal_basis)]
        assert sum(line.net_cents for line in own) == each.net_cents


@given(st.lists(somebody_earned(), max_size=12), st.randoms())
def test_the_order_of_earning_does_not_matter(earned, random):
    """The same things in another order give the same lines, each thing once."""
    lines = lines_of(earned, NUMBERS)
    random.shuffle(earned)
    assert lines_of(earned, NUMBERS) == lines
    keys = [(line.kind, line.session, line.treatment, line.legal_basis, line.corrects) for line in lines]
    assert len(keys) == len(set(keys))


@given(st.lists(CENTS, max_size=20), st.sampled_from([0, 9, 21]))
def test_vat_is_rounded_once_for_a_rate(gross, percent):
    """Nets are together the net of the sum, and none is more than a cent from its own."""
    nets = nets_of(gross, percent)
    assert sum(nets) == net_of(sum(gross), percent)
    assert all(abs(net - net_of(each, percent)) <= 1 for net, each in zip(nets, gross, strict=True))


@given(CENTS)
def test_vat_is_a_fifth_and_a_hundredth_of_the_net_to_the_cent(gross):
    """The VAT in an amount is 21 % of what is left, within a cent: what the published rules allow."""
    net = net_of(gross, 21)
    assert abs((gross - net) * 100 - net * 21) <= 100
    assert net_of(-gross, 21) == -net


@given(CENTS)
def test_an_exempt_amount_has_no_vat(gross):
    """Without VAT all of it is net."""
    assert net_of(gross, 0) == gross


def test_an_agreement_counts_for_the_months_at_whose_end_it_held():
    """From the month in which it was agreed, up to the month in which it ended; of two the later one."""

    def at(day):
        return datetime.fromisoformat(f"{day}T12:00+00:00")

    first = Agreement(UUID(int=1), at("2027-01-31"), at("2027-04-01"))
    second = Agreement(UUID(int=2), at("2027-04-01"), None)
    months = [date(2026, 12, 1), date(2027, 1, 1), date(2027, 3, 1), date(2027, 4, 1), date(2027, 12, 1)]
    assert [in_force([second, first], month) for month in months] == [None, first, first, second, second]
    assert in_force([first], date(2027, 4, 1)) is None


def test_a_month_ends_at_midnight_in_amsterdam():
    """Who agrees at half past eleven in the evening of the last day (UTC) agrees in the next month."""
    evening = datetime(2027, 1, 31, 23, 30, tzinfo=UTC)
    early, late = Agreement(UUID(int=1), evening - timedelta(hours=1), None), Agreement(UUID(int=2), evening, None)
    assert in_force([early], date(2027, 1, 1)) == early
    assert in_force([late], date(2027, 1, 1)) is None
    assert next_month(date(2027, 12, 1)) == date(2028, 1, 1)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": " "}, "name"),
        ({"street": "x" * 121}, "street"),
        ({"postcode": "0123 AB"}, "postcode"),
        ({"place": "a\u202eb"}, "place"),
        ({"register": "kbo"}, "register"),
        ({"number": "1234567"}, "number"),
        ({"number": "１２３４５６７８"}, "number"),  # noqa: RUF001 - digits of another script
        ({"vat_id": "NL123456789B01"}, "vat_id"),
        ({"vat_id": None}, "vat_id"),
    ],
)
def test_a_party_that_cannot_be_is_refused_at_its_place(change, place):
    """Each mistake is told at the field it is in, and at no other."""
    right = EXAMPLE._replace(number="12345678")
    assert [at for at, fault in party_faults(tidy(right), vat=True) if fault] == []
    wrong = tidy(right._replace(**change))
    assert [at for at, fault in party_faults(wrong, vat=True) if fault] == [place]


def test_numbers_are_brought_to_one_writing():
    """Spaces, dots and small letters make no other party."""
    rough = Party(" A ", "S 1", "1234ab", "P", "kvk", "1234 5678", "nl 1234.56.782.B90")
    assert tidy(rough) == Party("A", "S 1", "1234 AB", "P", "kvk", "12345678", "NL123456782B90")


def test_an_exemption_needs_a_ground_and_nothing_else_may_have_one():
    """Twenty-one percent needs evidence as well; another treatment does not exist."""

    def places(*given):
        return [at for at, fault in treatment_faults(*given) if fault]

    assert places("exempt", "art. 11", "gezien") == places("standard_21", None, "gevraagd") == []
    assert places("exempt", None, "gezien") == places("standard_21", "art. 11", "gezien") == ["legal_basis"]
    assert places("reduced", None, "") == ["treatment", "evidence"]


def test_a_code_says_nothing():
    """A session is called by its id alone: the same each time, another for each, in capitals and digits."""
    codes = {code_of(UUID(int=number)) for number in range(1000)}
    assert len(codes) == 1000
    assert all(len(code) == 11 and code.isalnum() for code in codes)


def test_the_programme_is_made_up_only_where_no_money_is_real():
    """In production all six are needed; elsewhere an example stands in for them."""
    six = {
        "programme_name": "Stichting",
        "programme_street": "Straat 1",
        "programme_postcode": "1234 AB",
        "programme_place": "Plaats",
        "programme_kvk": "12345678",
        "programme_vat_id": "NL123456782B90",
    }
    assert programme(settings_for()) == EXAMPLE
    assert programme(settings_for(environment="production")) is None
    assert programme(settings_for(environment="production", **six)).name == "Stichting"
    assert programme(settings_for(environment="production", **six | {"programme_kvk": None})) is None
