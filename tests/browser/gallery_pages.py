"""The pages of the gallery: every template, in the states that matter."""

from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace as Thing
from typing import Any

from browser import gallery_desk as desk
from browser.gallery_allocating import POLICIES, POLICY, POLICY_FORM, REFUSED, REQUESTS, WRONG, a_request
from browser.gallery_budget import BUDGET_PAGE, STATEMENT
from browser.gallery_changing import (
    BOOKINGS,
    CALL_OFF,
    CANCELLING,
    CATCH_UP,
    CATCH_UP_CHOICE,
    CATCHING_UP,
    ELEARNING,
    LEARNING,
    LEARNING_CHOICE,
    MOVING,
    MOVING_CHECK,
)
from browser.gallery_dialogues import DIALOGUES, OWN_SEATS, SEAT_ERROR, SEAT_FORM, SEATED, dialogue, own_seat
from browser.gallery_papers import AGREEMENT_FORM, BILLING_FORM, OWN_INVOICES, PAPERS, TO_INVOICE
from browser.gallery_paying import OWN_QUOTE, TO_PAY, TO_PAY_LINE
from browser.gallery_settling import SETTLEMENTS
from browser.gallery_tariffs import OWN_TARIFFS, TARIFF, TARIFF_FORM, TARIFFS, WITHDRAWN
from browser.gallery_things import (
    AVAILABILITY,
    BOOKING_FORM,
    MAIL,
    NEXT,
    ORGANISATION,
    OVERVIEW,
    PROPOSAL,
    PROPOSAL_LINE,
    QUOTE,
    ROUND,
    SEARCH,
    SESSION_PAGE,
    TRAINER_SESSION,
    WEEK,
    WISH_ERRORS,
    WISH_FORM,
    WISHES,
    at,
    matching_round,
    trainer_session,
)
from browser.gallery_waiting import SEATS, SEATS_LINE, WAITING, WAITING_FORM
from leerbudget.entrypoints.web.bank import PAID_BACK
from leerbudget.entrypoints.web.templating import Form, Notice, Shell

PARENT = frozenset({"foster_parent"})


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One page: its address in the gallery, its template, and what it shows."""

    name: str
    path: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    status: int = 200


def shell(
    path: str,
    *,
    roles: frozenset[str] = PARENT,
    name: str | None = "Sanne de Wit (fictief)",
    notice: Notice | None = None,
) -> Shell:
    return Shell(path=path, csrf_token="t0ken", display_name=name, roles=roles, demo=True, notice=notice)


def sample(
    name: str, template: str, view: object = None, *, path: str | None = None, status: int = 200, **context: Any
) -> Sample:
    address = path or f"/{name}"
    context.setdefault("shell", shell(address))
    context.setdefault("form", Form())
    return Sample(name=name, path=address, template=template, status=status, context={"view": view, **context})


COORDINATOR = shell("/rondes", roles=frozenset({"coordinator"}), name="Coördinator (fictief)")
BANKER = shell("/bank", roles=frozenset({"coordinator"}), name="Coördinator (fictief)")
PAYER = shell("/uitbetalingen", roles=frozenset({"coordinator"}), name="Coördinator (fictief)")
FINANCE = shell("/organisatie", roles=frozenset({"organisation_finance"}), name="Financiën De Brug (fictief)")
TRAINER = shell("/trainer", roles=frozenset({"trainer"}), name="Bram Hoekstra (fictief)")
PROFESSIONAL = shell("/mijn-plekken", roles=frozenset({"guardian_worker"}), name="Noor Willemsen (fictief)")
VISITOR = shell("/", roles=frozenset(), name=None)

PAGES = (
    sample("start", "start.html", Thing(sessions_count=250, places_count=86, themes=[Thing(code="trauma", count=31), Thing(code="behaviour", count=28), Thing(code="birth_parents", count=22), Thing(code="adolescence", count=19)]), path="/", shell=VISITOR),
    sample("inloggen", "inloggen.html", Thing(demo_logins=[Thing(email="sanne@voorbeeld.example", who="Sanne, pleegouder"), Thing(email="bram@voorbeeld.example", who="Bram, trainer")]), shell=VISITOR),
    sample("inloggen-fout", "inloggen.html", Thing(demo_logins=[]), shell=VISITOR, status=422, form=Form(values={"email": "sanne@"}, errors={"email": "Vul een e-mailadres in, zoals naam@voorbeeld.nl."})),
    sample("inloggen-mail", "inloggen_mail.html", Thing(email="sanne@voorbeeld.example", minutes_valid=15), shell=VISITOR),
    sample("inloggen-bevestigen", "inloggen_bevestigen.html", Thing(action="/inloggen/abc"), shell=VISITOR),
    sample("mijn", "mijn.html", Thing(**OVERVIEW, proposals=[PROPOSAL_LINE], to_pay=[TO_PAY_LINE], seats=[SEATS_LINE], next_booking=NEXT, wishes=[Thing(id=w.id, theme=w.theme, state=w.state, urgent=w.urgent) for w in WISHES]), shell=shell("/mijn", notice=Notice(kind="ok", text="Uw wens is opgeslagen."))),
    sample("mijn-leeg", "mijn.html", Thing(**{**OVERVIEW, "availability_known": False, "balance": Thing(granted_cents=0, spent_cents=0, held_cents=0, available_cents=0, expires_on=None, expires_cents=0)}, proposals=[], to_pay=[], seats=[], next_booking=None, wishes=[])),
    sample("wensen", "wensen.html", Thing(wishes=WISHES, availability=[Thing(person="Sanne", day_parts_count=3, exceptions_count=1), Thing(person="Joris", day_parts_count=2, exceptions_count=0)], travel=["met de auto hooguit 45 minuten", "met de fiets hooguit 25 minuten"], online_ok=True, childcare="needs_place", next_round_on=date(2027, 3, 1))),
    sample("wensen-leeg", "wensen.html", Thing(wishes=[], availability=[], travel=[], online_ok=False, childcare="none", next_round_on=None)),
    sample("wens-toevoegen", "wens_formulier.html", WISH_FORM, path="/wensen/toevoegen", form=Form(values={"urgent": "nee", "persons": ["a1"], "wish_id": "w9"})),
    sample("wens-fout", "wens_formulier.html", WISH_FORM, status=422, form=WISH_ERRORS),
    sample("beschikbaarheid", "beschikbaarheid.html", AVAILABILITY, path="/wensen/beschikbaarheid", form=WEEK, exception_form=Form(values={"part": "dag"})),
    sample("reizen", "reizen.html", Thing(child_age_bands=["a4_8", "a9_11"]), path="/wensen/reizen", form=Form(values={"postcode4": "3511", "minutes-car": "45", "online_ok": "ja", "childcare_need": "needs_place", "children-a4_8": "1", "max_placements": "2"})),
    sample("voorstel", "voorstel.html", PROPOSAL, path="/voorstellen/p1"),
    sample("zoeken", "zoeken.html", SEARCH, form=Form(values={"thema": "trauma", "dagdeel": ["avond"], "postcode": "3511"})),
    sample("zoeken-niets", "zoeken.html", Thing(total=0, page=1, last_page=1, page_address="/zoeken?pagina=", for_family=False, results=[]), shell=VISITOR),
    sample("bijeenkomst", "bijeenkomst.html", SESSION_PAGE, path="/bijeenkomsten/s1"),
    sample("bijeenkomst-vol", "bijeenkomst.html", Thing(**{**vars(SESSION_PAGE), "seats_free": 0, "may_book": False, "why_not_book": "Alle plaatsen zijn bezet."}), path="/bijeenkomsten/s2"),
    sample("bijeenkomst-wachtlijst", "bijeenkomst.html", Thing(**{**vars(SESSION_PAGE), "seats_free": 0, "may_book": False, "waits": True}), path="/bijeenkomsten/s3"),
    sample("wachtlijst", "wachtlijst.html", Thing(**WAITING_FORM), path="/bijeenkomsten/s1/wachtlijst", form=Form(values={"booking_id": "b9", "persons": ["a1"]})),
    sample("wachtplek", "wachtplek.html", SEATS, path="/wachtlijst/w2"),
    sample("inschrijven", "inschrijven.html", Thing(**BOOKING_FORM, at=1, quote=None), path="/bijeenkomsten/s1/inschrijven", form=Form(values={"booking_id": "b9", "persons": ["a1"]})),
    sample("inschrijven-eerst-betalen", "inschrijven.html", Thing(**{**BOOKING_FORM, "unpaid": "b9"}, at=1, quote=None), path="/bijeenkomsten/s4/inschrijven", form=Form(values={"booking_id": "b12", "persons": ["a1"]}, errors={"persons": "U moet nog een andere plaats betalen. Betaal die eerst, of laat die plaats gaan."})),
    sample("inschrijven-controleren", "inschrijven.html", Thing(**BOOKING_FORM, at=2, quote=QUOTE), form=Form(values={"booking_id": "b9", "persons": ["a1", "a2"], "children-a4_8": "1"})),
    sample("ingeschreven", "ingeschreven.html", Thing(booking_id="b9", course_title="Zorgen voor een kind dat veel meemaakte (fictief)", state="confirmed", starts_at=at(3, 1, 19), ends_at=at(3, 1, 21, 30), place="Utrecht", venue="Buurthuis De Linde (fictief)", session_state="conditional", decide_on=date(2027, 2, 20), names=["Sanne (fictief)"], price_cents=13500, own_cents=3000, available_cents=27500, cancel_until=date(2027, 2, 15))),
    sample("inschrijven-zelf-betalen", "inschrijven.html", Thing(**BOOKING_FORM, at=2, quote=OWN_QUOTE), form=Form(values={"booking_id": "b9", "persons": ["a1", "a2"]})),
    sample("betalen", "betalen.html", TO_PAY, path="/inschrijvingen/b9/betalen"),
    sample("betalen-wacht", "betalen.html", Thing(**{**vars(TO_PAY), "pay_url": None, "state": "created"}), path="/inschrijvingen/b10/betalen"),
    sample("betalen-te-laat", "betalen.html", Thing(**{**vars(TO_PAY), "kept": False, "pay_url": None, "state": "refunded", "refunded_cents": 3000}), path="/inschrijvingen/b11/betalen"),
    sample("betalen-niet", "betalen.html", Thing(**{**vars(TO_PAY), "kept": False, "pay_url": None, "state": "expired"}), path="/inschrijvingen/b12/betalen"),
    sample("inschrijvingen", "inschrijvingen.html", Thing(**vars(BOOKINGS), waiting=WAITING)),
    sample("annuleren", "annuleren.html", CANCELLING, path="/inschrijvingen/b1/annuleren"),
    sample("inhalen", "inhalen.html", CATCH_UP, path="/inschrijvingen/b1/inhalen"),
    sample("inhalen-toch-niet", "inhalen.html", CATCHING_UP, path="/inschrijvingen/b2/inhalen"),
    sample("inhalen-kiezen", "inhalen.html", CATCH_UP_CHOICE, path="/inschrijvingen/b3/inhalen", status=422, form=Form(values={"persons": ["x1"]}, errors={"meeting": "Kies een datum."})),
    sample("inhalen-elearning", "inhalen.html", LEARNING, path="/inschrijvingen/b4/inhalen"),
    sample("inhalen-kiezen-elearning", "inhalen.html", LEARNING_CHOICE, path="/inschrijvingen/b5/inhalen"),
    sample("elearning", "elearning.html", ELEARNING, path="/trainer/bijeenkomsten/s1/elearning", shell=TRAINER),
    sample("elearning-fout", "elearning.html", ELEARNING, path="/trainer/bijeenkomsten/s2/elearning", shell=TRAINER, status=422, form=Form(values={"number": "2", "title": "Rust", "link": "leren.nl"}, errors={"link": "Vul een link in die begint met https://.", "minutes": "Kies 5 tot 480 minuten."})),
    sample("afgelasten", "afgelasten.html", CALL_OFF, path="/trainer/bijeenkomsten/s1/afgelasten", shell=TRAINER, status=422, form=Form(errors={"reason": "Schrijf kort waarom het niet doorgaat."})),
    sample("andere-datum", "andere_datum.html", MOVING, path="/inschrijvingen/b1/andere-datum"),
    sample("andere-datum-geen", "andere_datum.html", Thing(**{**vars(MOVING), "dates": []}), path="/inschrijvingen/b2/andere-datum", form=Form(errors={"confirm": "Er zijn niet genoeg plaatsen vrij."})),
    sample("andere-datum-controleren", "andere_datum.html", MOVING_CHECK, path="/inschrijvingen/b3/andere-datum", form=Form(values={"booking_id": "b9"})),
    sample("budget", "budget.html", BUDGET_PAGE),
    sample("budget-afschrift", "budget_afschrift.html", STATEMENT, path="/budget/g1"),
    sample("organisatie", "organisatie.html", Thing(**vars(ORGANISATION), requests=REQUESTS, limit_cents=1000000), shell=FINANCE, top_up_form=Form(), grant_form=Form()),
    sample("storting", "storting.html", Thing(id="t2", reference="RF45000000000118", reference_spaced="RF45 0000 0000 0118", amount_cents=5000000, state="open", account_holder="Stichting Leerbudget (fictief)", iban="NL02ABNA0123456789", purchase_order=None, received_cents=0, online=False, made_up=False, pay_url=None, held_until=None, refunded_cents=0, may_refund=False, trust_of=None, may_confirm=True, papers=PAPERS, back="/organisatie"), shell=FINANCE),
    sample("storting-online", "storting.html", Thing(id="t3", reference="RF45000000000118", reference_spaced="RF45 0000 0000 0118", amount_cents=5000000, state="open", account_holder="Stichting Leerbudget (fictief)", iban="NL02ABNA0123456789", purchase_order=None, received_cents=0, online=True, made_up=True, pay_url="http://127.0.0.1:8090/pay/cs_1", held_until=None, refunded_cents=0, may_refund=False, trust_of=None, may_confirm=True, papers=PAPERS, back="/organisatie"), shell=FINANCE),
    sample("storting-vastgehouden", "storting.html", Thing(id="t4", reference="RF45000000000118", reference_spaced="RF45 0000 0000 0118", amount_cents=5000000, state="succeeded", account_holder="Stichting Leerbudget (fictief)", iban="NL02ABNA0123456789", purchase_order=None, received_cents=0, online=True, made_up=False, pay_url=None, held_until=date(2027, 4, 27), refunded_cents=25000, may_refund=True, trust_of="o1", may_confirm=True, papers=PAPERS, back="/organisatie"), shell=FINANCE),
    sample("stortingen", "stortingen.html", Thing(top_ups=[Thing(reference="RF45000000000118", organisation="De Brug pleegzorg (fictief)", amount_cents=5000000, requested_on=date(2027, 2, 2), purchase_order=None)], tasks=[Thing(id="k1", kind="not_as_asked", amount_cents=49999, opened_on=date(2027, 2, 3), reference="RF45000000000118", organisation="De Brug pleegzorg (fictief)"), Thing(id="k2", kind="discrepancy", amount_cents=100, opened_on=date(2027, 2, 4), reference=None, organisation=None)], received=[Thing(reference="RF45000000000118", organisation="De Brug pleegzorg (fictief)", amount_cents=5000000, requested_on=date(2027, 2, 2), purchase_order=None, state="succeeded", received_on=date(2027, 2, 3))]), shell=COORDINATOR),
    sample("storting-taak", "storting_taak.html", Thing(id="k1", kind="not_as_asked", subject="stripe:pi_3Qfictief:received", amount_cents=49999, opened_on=date(2027, 2, 3), reference="RF45000000000118", organisation="De Brug pleegzorg (fictief)", outcome=None, contacts=None), shell=COORDINATOR),
    sample("storting-taak-gezin", "storting_taak.html", Thing(id="k3", kind="refund_failed", subject="stripe:re_3Qfictief", amount_cents=3000, opened_on=date(2027, 2, 3), reference="RF45000000000119", organisation=None, outcome=None, contacts="Sanne (fictief), sanne@gezin.fictief.example; Joris (fictief)"), shell=COORDINATOR),
    sample("bank", "bank.html", desk.BANK, path="/bank", shell=BANKER),
    sample("bank-leeg", "bank.html", desk.BANK_EMPTY, shell=BANKER, status=422, form=desk.BANK_REFUSED),
    sample("bank-regel", "bank_regel.html", desk.entry(), path="/bank/regels/e1", shell=BANKER, status=422, form=desk.ENTRY_ERROR),
    sample("bank-regel-uit", "bank_regel.html", desk.entry(outgoing=True, choices=[PAID_BACK, *desk.entry().choices[-2:]]), path="/bank/regels/e2", shell=BANKER, status=409, form=desk.OWED_ERROR),
    sample("uitbetalingen", "uitbetalingen.html", desk.PAYOUTS, path="/uitbetalingen", shell=PAYER),
    sample("uitbetalingen-leeg", "uitbetalingen.html", desk.PAYOUTS_EMPTY, shell=PAYER, status=409, form=desk.PAYOUTS_ERROR),
    sample("uitbetaling-eigen", "uitbetaling.html", desk.payout(own=True), path="/uitbetalingen/u3", shell=PAYER, status=403, form=desk.CHECKED),
    sample("uitbetaling-betaald", "uitbetaling.html", desk.payout("approved", open_cents=118000, rejected=1), path="/uitbetalingen/u1", shell=PAYER, status=409, form=Form(errors={"cancel": "Deze uitbetaling is goedgekeurd. Alleen de bank kan haar nog weigeren."})),
    sample("uitbetaalrekening", "uitbetaalrekening.html", desk.ACCOUNT, path="/uitbetalingen/rekeningen/a1", shell=PAYER, status=422, form=Form(errors={"asked": "Vraag het eerst na en zet hier een vinkje."})),
    sample("mijn-rekening", "mijn_rekening.html", desk.OWN_ACCOUNT, shell=TRAINER, status=422, form=Form(values={"account_id": "a9", "iban": "NL41", "holder_name": "B. Hoekstra"}, errors={"iban": "Dit rekeningnummer klopt niet. Controleer elk cijfer."})),
    sample("terugbetalen", "terugbetalen.html", desk.refund(), path="/stortingen/t1/terugbetalen", shell=COORDINATOR, status=422, form=desk.REFUND_ERROR),
    sample("terugbetalen-kijken", "terugbetalen.html", desk.REFUND_SEEN, path="/stortingen/t2/terugbetalen", shell=COORDINATOR, form=Form(values={"refund_id": "r1", "amount": "250"})),
    sample("vertrouwen", "vertrouwen.html", desk.TRUST, path="/stortingen/vertrouwen/o1", shell=COORDINATOR, status=422, form=Form(errors={"reason": "Vul hier tekst in."})),
    sample("vertrouwen-al", "vertrouwen.html", desk.TRUSTED, path="/stortingen/vertrouwen/o2", shell=COORDINATOR),
    sample("aanvraag", "aanvraag.html", a_request(), path="/organisatie/aanvragen/g1", shell=FINANCE),
    sample("aanvraag-fout", "aanvraag.html", a_request(), path="/organisatie/aanvragen/g1/goedkeuren", shell=FINANCE, status=409, form=WRONG),
    sample("aanvraag-eigen", "aanvraag.html", a_request(own=True, may_decide=False), path="/organisatie/aanvragen/g3", shell=FINANCE),
    sample("aanvraag-afgewezen", "aanvraag.html", REFUSED, path="/organisatie/aanvragen/g0", shell=FINANCE),
    sample("beleid", "beleid.html", POLICIES, path="/organisatie/beleid", shell=FINANCE, status=422, form=POLICY_FORM),
    sample("beleid-groep", "beleid_groep.html", POLICY, path="/organisatie/beleid/b1", shell=FINANCE, status=422, form=Form(errors={"grant": "Er staat niet genoeg in de pot. Er staat € 800,00 in de pot.", "number": "Er zijn geen gezinnen die nog geen groep hebben."})),
    sample("verrekening", "verrekening.html", SETTLEMENTS, path="/organisatie/verrekening", shell=FINANCE),
    sample("verrekening-leeg", "verrekening.html", Thing(months=[], page=1, last_page=1), shell=FINANCE),
    sample("factuurgegevens", "factuurgegevens.html", Thing(), path="/organisatie/factuurgegevens", shell=FINANCE, status=422, form=BILLING_FORM),
    sample("trainer-facturen", "trainer_facturen.html", OWN_INVOICES, path="/trainer/facturen", shell=TRAINER),
    sample("trainer-facturen-zelf", "trainer_facturen.html", TO_INVOICE, path="/trainer/facturen/afspraak", shell=TRAINER, status=422, form=AGREEMENT_FORM),
    sample("trainer-facturen-leeg", "trainer_facturen.html", Thing(agreement=None, invoices=[], page=1, last_page=1, months=[]), shell=TRAINER),
    sample("trainer", "trainer.html", Thing(name="Bram", admitted=True, upcoming=[trainer_session()], past=[trainer_session(id="s0", state="done", attendance_open=True, seats_taken=9)]), shell=TRAINER),
    sample("trainer-bijeenkomst", "trainer_bijeenkomst.html", TRAINER_SESSION, shell=TRAINER, form=Form(values={"was_there-x1": "present"})),
    sample("gesprekken", "gesprekken.html", DIALOGUES, shell=COORDINATOR),
    sample("gesprekken-leeg", "gesprekken.html", Thing(dialogues=[]), shell=COORDINATOR),
    sample("gesprek", "gesprek.html", dialogue(), path="/gesprekken/s7", shell=COORDINATOR, form=SEAT_FORM),
    sample("gesprek-fout", "gesprek.html", dialogue(), path="/gesprekken/fout", shell=COORDINATOR, form=SEAT_ERROR, status=409),
    sample("gesprek-terugnemen", "gesprek.html", dialogue(taking_back=SEATED[1]), path="/gesprekken/terug", shell=COORDINATOR, form=SEAT_FORM),
    sample("gesprek-leeg", "gesprek.html", dialogue(state="cancelled", open=False, seated=[], in_line=[]), path="/gesprekken/leeg", shell=COORDINATOR),
    sample("mijn-plekken", "mijn_plekken.html", OWN_SEATS, shell=PROFESSIONAL),
    sample("mijn-plekken-leeg", "mijn_plekken.html", Thing(offers=[], coming=[], past=[]), shell=PROFESSIONAL),
    sample("mijn-plek", "mijn_plek.html", own_seat(), path="/mijn-plekken/b1", shell=PROFESSIONAL),
    sample("mijn-plek-afzeggen", "mijn_plek.html", own_seat(state="confirmed", answer_until=None, may_give_up=True), path="/mijn-plekken/b2", shell=PROFESSIONAL),
    sample("mijn-plek-te-laat", "mijn_plek.html", own_seat(state="declined", answer_until=None), path="/mijn-plekken/b3", shell=PROFESSIONAL, status=409, form=Form(errors={"reason": "Dit voorstel is al beantwoord, of de tijd om te antwoorden is voorbij."})),
    sample("tarieven", "tarieven.html", TARIFFS, path="/tarieven", shell=COORDINATOR, status=422, form=TARIFF_FORM),
    sample("tarieven-eigen", "tarieven.html", OWN_TARIFFS, path="/organisatie/tarieven", shell=FINANCE, form=Form(values={"tariff_id": "p8", "starts_on": "2027-03-01"})),
    sample("tarief", "tarief.html", TARIFF, path="/tarieven/p2", shell=COORDINATOR, status=422, form=Form(values={"last_day": "2026-01-01"}, errors={"last_day": "Een tarief eindigt vandaag of later, en nooit later dan was afgesproken."})),
    sample("tarief-ingetrokken", "tarief.html", WITHDRAWN, path="/tarieven/p4", shell=COORDINATOR),
    sample("rondes", "rondes.html", Thing(rounds=[Thing(id="r1", name="Voorjaar 2027", state="audited", starts_on=date(2027, 3, 1), ends_on=date(2027, 6, 30), opened_at=at(2, 1, 9), seekers=2000, placed_share=0.8705), Thing(id="r0", name="Najaar 2026", state="answered", starts_on=date(2026, 9, 1), ends_on=date(2026, 12, 31), opened_at=at(2, 1, 9), seekers=None, placed_share=None)], waiting=Thing(families=412, wishes=520, sessions=61, seats=498), suggested_seed=20270401), shell=COORDINATOR),
    sample("ronde", "ronde.html", ROUND, shell=COORDINATOR),
    sample("ronde-bezig", "ronde.html", matching_round(id="bezig", state="frozen", solving=True, result=None, audit=None, unplaced=[], fairness=[], steps=[]), path="/rondes/bezig", shell=COORDINATOR),
    sample("ronde-afgekeurd", "ronde.html", matching_round(state="rejected", audit=Thing(passed=False, rules_checked=17, problems=["Twee bijeenkomsten van één persoon overlappen."]), steps=[]), shell=COORDINATOR),
    sample("ronde-gepubliceerd", "ronde.html", matching_round(state="published", steps=[], answer_until=at(2, 14, 23, 59), answers=Thing(offered=800, accepted=940, declined=51, expired=0, refused=29)), shell=COORDINATOR),
    sample("ronde-verzenden", "ronde.html", matching_round(id="verzenden", state="published", steps=[], to_send=812, answer_until=at(2, 14, 23, 59), answers=Thing(offered=8, accepted=0, declined=0, expired=0, refused=0)), path="/rondes/verzenden", shell=COORDINATOR),
    sample("postbus", "postbus.html", Thing(mails=[MAIL], page=1, last_page=1), shell=VISITOR),
    sample("postbus-bericht", "postbus_bericht.html", Thing(**vars(MAIL), paragraphs=["Dag,", "Er staat een bericht voor u klaar. Log in om het te lezen."], link="/inloggen/abc", link_text="Inloggen"), shell=VISITOR),
    sample("bronnen", "bronnen.html", shell=VISITOR),
    sample("fout-403", "fout.html", Thing(status=403, message="Deze pagina hoort bij een ander.", reference=None, back=None), status=403),
    sample("fout-404", "fout.html", Thing(status=404, message="Dit is er niet, of u mag het niet zien.", reference=None, back="/zoeken"), status=404),
    sample("fout-500", "fout.html", Thing(status=500, message="Er ging bij ons iets mis.", reference="a1b2c3", back=None), status=500, shell=VISITOR),
)  # fmt: skip
