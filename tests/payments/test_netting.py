"""What an organisation sees of what it settles: nothing from which fewer than five families can be worked out."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from leerbudget.payments.netting import SettledMonth, Share, told
from leerbudget.payments.settlements import MatrixCell, net_positions
from leerbudget.people.rules import SMALLEST_GROUP

OWN, A, B, C = (UUID(int=n) for n in (1, 2, 3, 4))
PARTIES = (OWN, A, B, C)
FAMILIES = [UUID(int=n) for n in range(100, 130)]


def cell(guest, host, cents, families, month="2027-01"):
    """A cell with so many families, or with these."""
    who = frozenset(FAMILIES[:families] if isinstance(families, int) else families)
    return MatrixCell(month, guest, None if guest is None else str(guest), host, str(host), cents, who)


def shown(*cells):
    """The one month as the organisation sees it."""
    (month,) = told(OWN, cells)
    return month


def share(organisation, cents):
    return Share(organisation, str(organisation), cents)


def test_large_cells_are_shown_with_their_sums():
    """Everything of five families and more: all amounts, and what is left on balance with others."""
    cells = [cell(OWN, OWN, 900, 6), cell(A, OWN, 500, 5), cell(B, OWN, 700, 5), cell(OWN, A, 300, 5)]
    hosted = (share(OWN, 900), share(B, 700), share(A, 500))
    assert shown(*cells) == SettledMonth("2027-01", 2_100, hosted, 1_200, 300, (share(A, 300),), 900)


def test_small_cells_are_one_sum_with_the_next_smallest():
    """One family of A's would follow from the sum: it is told together with B's seven, never apart."""
    month = shown(cell(A, OWN, 45, FAMILIES[:1]), cell(B, OWN, 700, FAMILIES[1:8]), cell(C, OWN, 800, FAMILIES[8:17]))
    assert month.guests == (share(C, 800), Share(None, None, 745))
    assert (month.earned_cents, month.from_others_cents) == (1_545, 1_545)


def test_the_same_families_in_two_cells_count_once():
    """Four families with budgets of both A and B are four families: their cells together are still too small."""
    month = shown(cell(A, OWN, 45, 4), cell(B, OWN, 90, 4), cell(C, OWN, 800, FAMILIES[8:17]))
    assert month.guests == (Share(None, None, 935),)


def test_what_is_too_small_altogether_is_not_told():
    """Four families elsewhere: not how much and not where. Four families here: only what came into the pot."""
    month = shown(cell(A, OWN, 45, 1), cell(B, OWN, 90, 3), cell(OWN, A, 60, 4))
    assert month == SettledMonth("2027-01", 135, (), None, None, (), None)


def test_own_families_in_the_rest_hide_what_came_from_others():
    """When the own cell is small it is in a sum with others; what came from others would give it away."""
    month = shown(cell(OWN, OWN, 45, FAMILIES[:2]), cell(A, OWN, 700, FAMILIES[2:9]), cell(OWN, B, 500, 7))
    assert month == SettledMonth("2027-01", 745, (Share(None, None, 745),), None, 500, (share(B, 500),), None)


def test_corrections_have_nobody_behind_them():
    """What the programme corrected is in the rest, and hides nothing."""
    month = shown(cell(None, OWN, -20, 0), cell(A, OWN, 500, 5))
    assert month == SettledMonth("2027-01", 480, (share(A, 500), Share(None, None, -20)), 480, 0, (), 480)


def test_months_stay_apart_and_in_order():
    """Each month has its own sums."""
    cells = [cell(A, OWN, 500, 5, "2027-02"), cell(A, OWN, 400, 5, "2027-01")]
    assert [(month.month, month.earned_cents) for month in told(OWN, cells)] == [("2027-02", 500), ("2027-01", 400)]


amounts = st.integers(-9_999, 9_999)
behind = st.sets(st.sampled_from(FAMILIES), max_size=9)
cells_of_a_month = st.builds(
    lambda paid, corrected: paid | {(None, host): (cents, set()) for host, cents in corrected.items()},
    st.dictionaries(st.tuples(st.sampled_from(PARTIES), st.sampled_from(PARTIES)), st.tuples(amounts, behind)),
    st.dictionaries(st.sampled_from(PARTIES), amounts),
)
"""(guest, host) -> cents and families; nobody is behind what the programme corrected."""


@given(cells_of_a_month)
def test_no_sum_that_is_told_stands_for_one_to_four_families(found):
    """Each share and sum is of nobody or of five families at least; only what came into the pot is always told."""
    cells = [cell(guest, host, *value) for (guest, host), value in found.items() if OWN in (guest, host)]
    for month in told(OWN, cells):
        hosted = {c.guest: c for c in cells if c.host == OWN}
        elsewhere = {c.host: c for c in cells if c.guest == OWN and c.host != OWN}
        assert month.earned_cents == sum(c.cents for c in hosted.values())
        for shares, side in ((month.guests, hosted), (month.hosts, elsewhere)):
            apart = {each.organisation for each in shares if each.organisation is not None}
            rest = [c for key, c in side.items() if key not in apart]
            for each in shares:
                group = rest if each.organisation is None else [side[each.organisation]]
                assert each.cents == sum(c.cents for c in group)
                assert not 0 < len(frozenset().union(*(c.families for c in group))) < SMALLEST_GROUP
            if shares:
                assert sum(each.cents for each in shares) == sum(c.cents for c in side.values())
        others = [c for c in hosted.values() if c.guest != OWN]
        for sum_told, group in ((month.from_others_cents, others), (month.paid_cents, list(elsewhere.values()))):
            if sum_told is not None:
                assert sum_told == sum(c.cents for c in group)
                assert not 0 < len(frozenset().union(*(c.families for c in group))) < SMALLEST_GROUP
        if month.net_cents is not None:
            assert month.net_cents == month.from_others_cents - month.paid_cents


@given(cells_of_a_month)
def test_net_positions_are_nothing_together(found):
    """Whatever the cells: what each earned from others less what it paid to others adds up to zero."""
    cells = [cell(guest, host, *value) for (guest, host), value in found.items()]
    assert sum(net_positions(cells).values()) == 0
