"""How a page is made and how a form is read: the frame, redirects with a message, cleaned form fields."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from jinja2 import Environment
from litestar import Response
from litestar.datastructures import FormMultiDict, UploadFile

from leerbudget.entrypoints.http.csrf import csrf_token
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.templating import Form, Notice, Shell, environment
from leerbudget.foundation.errors import NotFound
from leerbudget.identity.permissions import require
from leerbudget.people import queries as people

View = SimpleNamespace
"""What a template shows; each template's head comment lists the fields it expects."""

NOTICES: Mapping[str, tuple[str, str]] = {
    "aangenomen": ("ok", "U hebt het voorstel aangenomen. U bent ingeschreven."),
    "afgewezen": ("info", "U hebt nee gezegd. Uw wens blijft staan, wij zoeken verder."),
    "ingeschreven": ("ok", "Uw inschrijving is gelukt."),
    "niet-betaald": ("info", "U bent niet ingeschreven. U hebt niets betaald."),
    "wachtlijst": ("ok", "U staat op de wachtlijst. Is er plaats, dan mailen wij u."),
    "wacht-verder": ("info", "U hebt nee gezegd. U blijft op de wachtlijst voor een andere datum."),
    "wachtlijst-af": ("info", "U staat niet meer op de wachtlijst."),
    "te-laat": ("info", "Deze plaats is al beantwoord, of de tijd om te antwoorden is voorbij."),
    "overgestapt": ("ok", "U bent overgestapt naar de andere datum."),
    "haalt-in": ("ok", "U haalt deze keer in bij een andere groep."),
    "leert-zelf": ("ok", "U haalt deze keer in met e-learning. De link staat hieronder."),
    "elearning": ("ok", "De e-learning is opgeslagen."),
    "elearning-gedaan": ("ok", "Opgeslagen. Dit telt als aanwezig."),
    "haalt-niet-in": ("info", "U haalt deze keer niet meer in."),
    "datum-afgelast": ("ok", "De datum gaat niet door. Iedereen heeft bericht gekregen."),
    "afgelast": ("ok", "De cursus gaat niet door. Iedereen heeft bericht gekregen."),
    "geannuleerd": ("ok", "Uw inschrijving is geannuleerd."),
    "wens-opgeslagen": ("ok", "Uw wens is opgeslagen. Hij doet mee in de volgende koppelronde."),
    "wens-weg": ("info", "De wens is weggehaald."),
    "opgeslagen": ("ok", "Dit is opgeslagen."),
    "uitgelogd": ("info", "U bent uitgelogd."),
    "storting-gevraagd": ("ok", "Maak nu het bedrag over met dit kenmerk."),
    "facturen-afgesproken": ("ok", "Afgesproken. Vanaf deze maand maken wij uw facturen."),
    "facturen-gestopt": ("info", "Vanaf deze maand maakt u zelf uw facturen."),
    "taak-afgerond": ("ok", "De taak is afgerond."),
    "storting-online": ("ok", "U kunt nu betalen."),
    "bankregel-verklaard": ("ok", "Vastgelegd wat deze bankregel is."),
    "uitbetaling-voorgesteld": ("ok", "De uitbetaling staat klaar. Een collega keurt haar goed."),
    "uitbetaling-goedgekeurd": ("ok", "Goedgekeurd. Stuur het bestand nu naar de bank."),
    "uitbetaling-ingetrokken": ("info", "De uitbetaling is ingetrokken. Er is geen geld verplaatst."),
    "rekening-gegeven": ("ok", "Opgeslagen. Wij bellen u om het na te vragen. Daarna telt deze rekening."),
    "rekening-bevestigd": ("ok", "De rekening is bevestigd. Voortaan telt zij."),
    "rekening-afgewezen": ("info", "Deze rekening wordt niet gebruikt."),
    "terugbetaling-volgt": ("info", "Vastgelegd. De betaaldienst antwoordt nog niet; wij vragen het opnieuw."),
    "terugbetaald": ("ok", "De terugbetaling is vastgelegd."),
    "wordt-vertrouwd": ("ok", "Incasso's van deze organisatie tellen voortaan meteen."),
    "niet-vertrouwd": ("info", "Incasso's van deze organisatie wachten voortaan weer."),
    "storting-ontvangen": ("ok", "De storting is bevestigd en staat in de pot."),
    "toegekend": ("ok", "De leerbudgetten zijn toegekend."),
    "toekenning-gevraagd": ("info", "Dit is meer dan de grens. Een collega beslist erover."),
    "toekenning-afgewezen": ("info", "U hebt de aanvraag afgewezen. Er is geen geld verplaatst."),
    "beleid-toegevoegd": ("ok", "Het beleid staat klaar. Kies nu welke gezinnen erbij horen."),
    "tarief-toegevoegd": ("ok", "Het tarief staat in de lijst."),
    "tarief-eindigt": ("ok", "De laatste dag van het tarief is vastgelegd."),
    "groep-gevuld": ("ok", "De gezinnen zitten in de groep."),
    "aanwezigheid": ("ok", "De aanwezigheid is opgeslagen."),
    "afgerond": ("ok", "De bijeenkomst is afgerond. De betaling staat klaar."),
    "plaats-gegeven": ("ok", "De plaats is gegeven. Wij mailen het deze persoon."),
    "plaats-terug": ("ok", "De plaats is vrij. Wij mailen het deze persoon."),
    "afgezegd": ("ok", "U hebt afgezegd. De plaats is vrij voor iemand anders."),
    "plaats-aangenomen": ("ok", "U komt. De plaats is van u."),
    "plaats-afgewezen": ("info", "U hebt nee gezegd. De plaats is vrij voor iemand anders."),
    "in-de-rij": ("ok", "Deze persoon staat op de wachtlijst."),
    "uit-de-rij": ("info", "Deze persoon staat niet meer op de wachtlijst."),
    "ronde": ("ok", "De koppelronde is bijgewerkt."),
}
"""Message after a redirect: code in the address → kind and sentence."""

FIELD_LENGTH_MAX = 4000


@cache
def _templates() -> Environment:
    return environment()


async def page(
    request: HouseRequest, template: str, view: Any = None, *, form: Form | None = None, status: int = 200, **more: Any
) -> Response[str]:
    """A page of the site. Personal pages are never stored by browsers or proxies."""
    html = render(await shell_of(request), template, view, form=form, **more)
    headers = {"Vary": "HX-Request, Cookie"}
    if request.user is not None:
        headers["Cache-Control"] = "no-store"
    return Response(html, media_type="text/html", status_code=status, headers=headers)


def render(shell: Shell, template: str, view: Any = None, *, form: Form | None = None, **more: Any) -> str:
    """A template as HTML."""
    return _templates().get_template(template).render(shell=shell, view=view, form=form or Form(), **more)


async def shell_of(request: HouseRequest) -> Shell:
    """The frame for whoever asks."""
    kind, text = NOTICES.get(request.query_params.get("melding", ""), ("", ""))
    actor = request.user
    name = None
    if actor is not None:
        name = (await people.person(actor.person)).name if actor.person is not None else actor.email
    return Shell(
        path=request.url.path,
        csrf_token=csrf_token(request),
        display_name=name,
        roles=actor.role_names if actor is not None else frozenset(),
        demo=request.app.state.settings.environment == "demo",
        notice=Notice(kind=kind, text=text) if text else None,
    )


def moved(address: str, notice: str | None = None) -> Response[None]:
    """See Other (303): after a form the browser asks for a page of its own, so reloading repeats nothing."""
    mark = "&" if "?" in address else "?"
    return Response(
        None, status_code=303, headers={"Location": f"{address}{mark}melding={notice}" if notice else address}
    )


async def filled_in(request: HouseRequest) -> Form:
    """What was filled in: text in Unicode form NFC without control characters, bounded; files are left out."""
    data: FormMultiDict = await request.form()
    values: dict[str, str | list[str]] = {}
    for name in data:
        found = [clean(value) for value in data.getall(name) if isinstance(value, str)]
        values[str(name)[:100]] = found if len(found) > 1 else (found[0] if found else "")
    return Form(values=values)


async def uploaded(request: HouseRequest, name: str) -> bytes:
    """What is in the file that was chosen in a field; empty when none was. How large it may be, the handler says."""
    found = (await request.form()).get(name)
    return await found.read() if isinstance(found, UploadFile) else b""


def clean(text: str) -> str:
    """The text in form NFC, without control characters but line ends, trimmed and bounded."""
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if c == "\n" or unicodedata.category(c)[0] != "C")
    return kept.strip()[:FIELD_LENGTH_MAX]


def many(form: Form, name: str) -> list[str]:
    """Every value of a field, in order."""
    found = form.values.get(name, ())
    return [found] if isinstance(found, str) and found else list(found)


def with_errors(form: Form, errors: Mapping[str, str]) -> Form:
    """The form with its values kept and a sentence at each field that is not right."""
    return Form(values=form.values, errors=errors)


def an_id(text: str) -> UUID | None:
    """The id in canonical writing, or None."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def own_family(request: HouseRequest, verb: str) -> UUID:
    """The family of the parent who asks, for this verb.

    Raises:
        NotLoggedIn: nobody is logged in.
        NotFound: it is no foster parent.
    """
    families = sorted(request.actor.scopes("foster_parent"), key=str)
    if not families:
        raise NotFound
    require(request.user, verb, family=families[0])
    return families[0]


def own_person(request: HouseRequest, verb: str) -> UUID:
    """The person behind the login, for this verb.

    Raises:
        NotLoggedIn: nobody is logged in.
        NotFound: the login stands for nobody, or they may not.
    """
    person = require(request.user, verb, person=request.actor.person).person
    if person is None:  # pragma: no cover - the relation `self` holds for nobody without a person
        raise NotFound
    return person


def paged(things: Sequence[Any], number: str, size: int) -> tuple[list[Any], int, int]:
    """The things on a page, the page's number and the last page's number; a wrong number means the first."""
    last = max(1, -(-len(things) // size))
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    at = min(max(at, 1), last)
    return list(things[(at - 1) * size : at * size]), at, last
