"""What an organisation may see of what it settles with others: small cells left out. Plain values in and out.

Which family went where is nobody's business (reliability section 4): a cell with fewer than five families behind
it is only shown within a sum with others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from leerbudget.payments.settlements import MatrixCell
from leerbudget.people.rules import SMALLEST_GROUP


@dataclass(frozen=True, slots=True)
class Share:
    """Cents with one other organisation; None: with all others that are too small to be shown apart."""

    organisation: UUID | None
    name: str | None
    cents: int


@dataclass(frozen=True, slots=True)
class SettledMonth:
    """A month of one organisation, in cents. None: too few families to tell.

    `earned_cents` went to its pot for seats at its trainers, `guests` says whose budgets paid for them (its own
    included); `guests` is empty when nothing but the sum may be told. `paid_cents` is what its own budgets paid for
    seats at trainers of others, `hosts` says whose. `net_cents`: earned from others less paid to others.
    """

    month: str
    earned_cents: int
    guests: tuple[Share, ...]
    from_others_cents: int | None
    paid_cents: int | None
    hosts: tuple[Share, ...]
    net_cents: int | None


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a month: the shares that may be shown, whether its sum may be, and who stands in the rest."""

    shares: tuple[Share, ...]
    safe: bool
    hidden: frozenset[UUID | None]


def told(organisation: UUID, cells: Iterable[MatrixCell]) -> list[SettledMonth]:
    """The months of an organisation's cells, in their order, as it may see them."""
    return [_month(organisation, month, list(found)) for month, found in groupby(cells, key=lambda cell: cell.month)]


def _month(own: UUID, month: str, cells: Sequence[MatrixCell]) -> SettledMonth:
    as_host = [cell for cell in cells if cell.host == own]
    as_guest = [cell for cell in cells if cell.guest == own and cell.host != own]
    guests = _side([(cell.guest, cell.guest_name, cell) for cell in as_host])
    hosts = _side([(cell.host, cell.host_name, cell) for cell in as_guest])
    from_others = sum(cell.cents for cell in as_host if cell.guest != own)
    paid = sum(cell.cents for cell in as_guest)
    apart = guests.safe and own not in guests.hidden
    return SettledMonth(
        month=month,
        earned_cents=sum(cell.cents for cell in as_host),
        guests=guests.shares,
        from_others_cents=from_others if apart else None,
        paid_cents=paid if hosts.safe else None,
        hosts=hosts.shares,
        net_cents=from_others - paid if apart and hosts.safe else None,
    )


def _side(cells: Sequence[tuple[UUID | None, str | None, MatrixCell]]) -> _Side:
    """Small cells in one sum, with the next smallest as long as that sum still counts fewer than five families."""
    families: set[UUID] = set()
    rest, shown = [], sorted(cells, key=lambda each: (len(each[2].families), str(each[0])))
    while shown and (len(shown[0][2].families) < SMALLEST_GROUP or 0 < len(families) < SMALLEST_GROUP):
        rest.append(shown.pop(0))
        families |= rest[-1][2].families
    hidden = frozenset(each[0] for each in rest)
    if 0 < len(families) < SMALLEST_GROUP:
        return _Side((), safe=False, hidden=hidden)
    shares = [Share(key, name, cell.cents) for key, name, cell in shown]
    shares.sort(key=lambda share: (-share.cents, share.name or ""))
    if rest:
        shares.append(Share(None, None, sum(cell.cents for _, _, cell in rest)))
    return _Side(tuple(shares), safe=True, hidden=hidden)
