"""Who pays: grants of providers and municipalities to families, and the money they pay in first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from leerbudget.fictional import figures
from leerbudget.fictional.calendar import HORIZON
from leerbudget.fictional.dice import Dice
from leerbudget.fictional.families import Circumstances
from leerbudget.fictional.subjects import SUBJECTS
from leerbudget.fictional.world import Family, Grant, TopUp, Venue, Wish
from leerbudget.geography.postcodes import place_of

TOP_UP_STEP_CENTS = 100_000
RESERVE_PERCENT = 10
"""What an organisation pays in above its grants, for families that come later [guess]."""
EARMARK_FITS = 0.6
"""Earmarks that happen to hold a theme the family wishes for [guess]."""
OWN_PLACE_CENTS = 5_000
"""What a municipality adds for each family of its region, to learn in that municipality [guess]."""


def make_grants(families: Iterable[Family], wishes: Iterable[Wish], around: Circumstances) -> list[Grant]:
    """One free grant per family from its provider; 15 % also an earmarked one from their municipality."""
    dice = Dice(around.seed, "funding")
    usual = {org.ref: dice.draw(figures.GRANT_CENTS) for org in around.landscape.organisations}
    wished: dict[str, list[str]] = defaultdict(list)
    for wish in wishes:
        wished[wish.seeker_ref].append(wish.theme)
    starts_on = around.start_on
    expires_on = date((starts_on + HORIZON).year, 12, 31)
    made: list[Grant] = []
    for family in families:
        other = dice.chance(figures.OTHER_GRANT)
        cents = dice.draw(figures.GRANT_CENTS) if other else usual[family.organisation_ref]
        rows: list[tuple[str, int, tuple[str, ...] | None]] = [(family.organisation_ref, cents, None)]
        if dice.chance(figures.EARMARKED):
            funder = around.landscape.municipality[family.region].ref
            rows.append((funder, dice.draw(figures.EARMARKED_CENTS), _earmark(wished[family.ref], dice)))
        for funder, amount_cents, themes in rows:
            ref = f"G{len(made) + 1:05d}"
            made.append(Grant(ref, family.ref, funder, amount_cents, starts_on, expires_on, themes))
    return made


def make_place_grants(
    families: Iterable[Family], venues: Iterable[Venue], around: Circumstances, first: int
) -> list[Grant]:
    """Money for their own place: of the first municipality that has a venue. `first`: number of the first grant."""
    there = {place_of(venue.pc4).municipality for venue in venues}
    funders = around.landscape.municipality
    at_home = next((r for r in around.landscape.regions if r.centre.municipality in there), None)
    if at_home is None:
        return []
    expires_on = date((around.start_on + HORIZON).year, 12, 31)
    funder, place = funders[at_home.name].ref, (at_home.centre.municipality,)
    return [
        Grant(f"G{n:05d}", family.ref, funder, OWN_PLACE_CENTS, around.start_on, expires_on, None, place)
        for n, family in enumerate((each for each in families if each.region == at_home.name), start=first)
    ]


def _earmark(wished: Sequence[str], dice: Dice) -> tuple[str, ...]:
    first = dice.pick(wished) if wished and dice.chance(EARMARK_FITS) else dice.pick(SUBJECTS).theme
    others = [subject.theme for subject in SUBJECTS if subject.theme != first]
    return (first, *dice.some(others, dice.between(0, 2)))


def make_top_ups(grants: Iterable[Grant]) -> list[TopUp]:
    """One payment per granting organisation that covers all its grants, in whole thousands of euros."""
    granted: dict[str, int] = defaultdict(int)
    for grant in grants:
        granted[grant.organisation_ref] += grant.amount_cents
    return [
        TopUp(
            organisation_ref=ref,
            amount_cents=-(-cents * (100 + RESERVE_PERCENT) // 100 // TOP_UP_STEP_CENTS) * TOP_UP_STEP_CENTS,
            reference=f"Storting leerbudgetten {ref} (fictief)",
        )
        for ref, cents in sorted(granted.items())
    ]
