"""Every operation of the API: who may do it, with what, and what it answers then.

`path` names the things of the stage that the path's ids stand for; `body` makes what is sent, from the things of
whoever owns them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import world
from entrypoints.api.stage_money import a_statement, a_status_report
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id

Things = Mapping[str, Any]
PARENTS = ("parent", "coparent")
ORGANISATION = ("finance", "admin", "municipality")
PAYERS = ("finance", "admin")


@dataclass(frozen=True)
class Case:
    """One operation. `owned`: other people have such things too, which the same actors may not touch."""

    actors: tuple[str, ...]
    status: int = 200
    path: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[Things], dict[str, Any]] | None = None
    owned: bool = True
    public: bool = False

    def ids(self, things: Things) -> dict[str, UUID]:
        """The ids in the path."""
        return {parameter: things[name] for parameter, name in self.path.items()}


def everybody(status: int = 200, **more: Any) -> Case:
    """An operation without anything to hide."""
    return Case((), status, owned=False, public=True, **more)


def of_family(status: int = 200, **more: Any) -> Case:
    """An operation on the parents' own family."""
    return Case(PARENTS, status, {"family_id": "family"}, **more)


def of_organisation(actors: tuple[str, ...], status: int = 200, **more: Any) -> Case:
    """An operation on the organisation's own."""
    return Case(actors, status, {"organisation_id": "organisation"} | more.pop("path", {}), **more)


def of_desk(
    path: Mapping[str, str] | None = None, body: Callable[[Things], dict[str, Any]] | None = None, status: int = 200
) -> Case:
    """An operation on the money of the programme."""
    return Case(("coordinator",), status, path or {}, body, owned=False)


def text_of(day: int) -> str:
    """A day from now, as JSON has it."""
    return (clock.today() + timedelta(days=day)).isoformat()


def a_wish(things: Things) -> dict[str, Any]:
    """A wish with private words."""
    words = {"situation": "Een kind dat slecht slaapt.", "wants_to_learn": "Rust vinden."}
    return {"id": str(new_id()), "persons": [str(things["parent"])], "theme": "trauma", "words": words}


def a_change(things: Things) -> dict[str, Any]:
    """What a wish becomes."""
    words = {"situation": "Anders.", "wants_to_learn": ""}
    persons = [str(things["parent"])]
    return {"persons": persons, "theme": "attachment", "forms": ["webinar"], "rank": 2, "urgent": True, "words": words}


def availability(things: Things) -> dict[str, Any]:
    """A week, and an evening on which it cannot be."""
    start, end = (moment.isoformat() for moment in world.in_days(20))
    blocked = [{"starts_at": start, "ends_at": end}]
    return {"persons": [{"person": str(things["parent"]), "week": "01" * 10 + "0", "exceptions": blocked}]}


def preferences(_: Things) -> dict[str, Any]:
    """By car or online, with one child in the childcare."""
    return {
        "postcode4": "3511",
        "travel_minutes_max": {"car": 45},
        "online_ok": True,
        "childcare_need": "needs_place",
        "childcare": {"a4_8": 1},
    }


def a_quote(things: Things) -> dict[str, Any]:
    """One parent in one session."""
    return {"course_session": str(things["session_for_quote"]), "persons": [str(things["coparent"])]}


def a_booking(things: Things) -> dict[str, Any]:
    """The same, for real."""
    return a_quote(things) | {"id": str(new_id())}


def a_move_quote(things: Things) -> dict[str, Any]:
    """Another date of the same course."""
    return {"course_session": str(things["session_to_move_to"])}


def a_move(things: Things) -> dict[str, Any]:
    """The same, for real."""
    return a_move_quote(things) | {"id": str(new_id())}


CATCHING_UP = {"booking_id": "booking_to_catch_up", "meeting_id": "meeting_to_catch_up"}


def a_catch_up(things: Things) -> dict[str, Any]:
    """The same meeting of another group."""
    return {"meeting": str(things["meeting_elsewhere"]), "persons": [str(things["parent"])]}


def a_place_in_line(things: Things) -> dict[str, Any]:
    """One parent who waits for a course that they did not ask for before."""
    return {
        "id": str(new_id()),
        "course_session": str(things["session_to_wait_for"]),
        "persons": [str(things["coparent"])],
        "childcare": {"a4_8": 1},
    }


def a_payout_account(_: Things) -> dict[str, Any]:
    """A bank account."""
    return {"id": str(new_id()), "iban": "NL30 MOCK 0000 0000 05", "holder_name": "T. Voorbeeld (fictief)"}


def an_agreement(_: Things) -> dict[str, Any]:
    """That invoices are made out under these details."""
    where = {"name": "T. (fictief)", "street": "Straat 1", "postcode": "1234AB", "place": "Plaats"}
    return {"id": str(new_id()), "kvk": "12345678", "vat_id": "NL123456782B90"} | where


def a_treatment(things: Things) -> dict[str, Any]:
    """An exemption from today on."""
    whose = {"course": str(things["course"]), "trainer": str(things["trainer"]), "valid_from": text_of(0)}
    return {"id": str(new_id()), "treatment": "exempt", "legal_basis": "art. 11", "evidence": "Gezien."} | whose


def billing(_: Things) -> dict[str, Any]:
    """An address of a municipality."""
    return {"street": "Plein 1", "postcode": "1234 AB", "place": "Plaats", "register": "oin", "number": "1" * 20}


def a_session(things: Things) -> dict[str, Any]:
    """An online course session of the trainer's own."""
    start, end = (moment.isoformat() for moment in world.in_days(60))
    return {
        "id": str(new_id()),
        "course": str(things["course"]),
        "trainer": str(things["trainer"]),
        "price_cents": 4500,
        "seats_min": 2,
        "seats_max": 12,
        "meetings": [{"starts_at": start, "ends_at": end}],
        "decide_on": text_of(50),
    }


def a_top_up(_: Things) -> dict[str, Any]:
    """A thousand euros."""
    return {"id": str(new_id()), "amount_cents": 100_000, "purchase_order": "INK-1"}


def a_grant(things: Things) -> dict[str, Any]:
    """A hundred euros for the family."""
    key = str(new_id())
    earmark = {"themes": ["trauma"], "forms": None, "carry_over": False}
    period = {"starts_on": text_of(0), "expires_on": text_of(200)}
    return {"id": key, "external_ref": key, "family": str(things["family"]), "amount_cents": 10_000} | period | earmark


def a_policy(_: Things) -> dict[str, Any]:
    """A hundred euros for each foster parent, of which half may be kept."""
    key = str(new_id())
    period = {"starts_on": text_of(10), "ends_on": text_of(300)}
    return {"id": key, "name": key, "amount_cents": 10_000, "per": "adult", "carry_percent_max": 50} | period


def a_tariff(things: Things) -> dict[str, Any]:
    """Fifty euros in one town on one day, far away: it touches no session, and no other tariff."""
    day = text_of(1_000 + next(_days))
    period = {"starts_on": day, "ends_on": day}
    place = {"scope": "municipality", "municipalities": ["Utrecht"]}
    return {"id": str(new_id()), "course": str(things["course"]), "price_cents": 5_000} | place | period


def a_tariff_of_its_own(things: Things) -> dict[str, Any]:
    """The same, for what the organisation gives."""
    return {key: value for key, value in a_tariff(things).items() if key not in ("scope", "municipalities")}


def a_round(_: Things) -> dict[str, Any]:
    """A round over the next months."""
    return {"id": str(new_id()), "name": "Ronde", "starts_on": text_of(1), "ends_on": text_of(90), "seed": 7}


def a_guest(name: str) -> Callable[[Things], dict[str, Any]]:
    """Somebody of the stage without a family, by reference."""
    return lambda things: {"id": str(new_id()), "who": things[name]}


_days = count()
SEES_INVOICES = ("trainer",)
INVOICE = {"trainer_id": "trainer", "invoice_id": "invoice"}
SESSION = {"session_id": "session"}
DIALOGUE = {"session_id": "dialogue"}
CASES: Mapping[str, Case] = {
    "getHealth": everybody(),
    "listThemes": everybody(),
    "searchCourseSessions": everybody(),
    "listCourses": everybody(),
    "listVenues": everybody(),
    "getCourseSession": everybody(path=SESSION),
    "askLoginLink": everybody(202, body=lambda _: {"email": "niemand@fictief.example"}),
    "makeWebSession": everybody(410, body=lambda _: {"token": "a" * 43}),
    "getMe": Case(("*",), owned=False),
    "endWebSession": Case(("*",), 204, owned=False),
    # families
    "getFamilyOverview": of_family(),
    "getAvailability": of_family(),
    "putAvailability": of_family(body=availability),
    "getPreferences": of_family(),
    "putPreferences": of_family(body=preferences),
    "listBudgets": of_family(),
    "listTransfers": of_family(),
    "listWishes": of_family(),
    "stateWish": Case(("parent",), 201, {"family_id": "family"}, a_wish),
    "getWish": Case(PARENTS, path={"wish_id": "wish"}),
    "changeWish": Case(("parent",), path={"wish_id": "wish_to_change"}, body=a_change),
    "withdrawWish": Case(PARENTS, 204, {"wish_id": "wish_to_withdraw"}),
    "listProposals": of_family(),
    "listNonPlacements": of_family(),
    "acceptProposal": Case(PARENTS, path={"proposal_id": "proposal"}),
    "refuseProposal": Case(PARENTS, path={"proposal_id": "other_proposal"}, body=lambda _: {"reason": "too_far"}),
    "listBookings": of_family(),
    "quoteBooking": of_family(body=a_quote),
    "book": Case(("parent",), 201, {"family_id": "family"}, a_booking),
    "getBooking": Case(PARENTS, path={"booking_id": "booking"}),
    "getOwnPayment": Case(PARENTS, path={"booking_id": "booking_unpaid"}),
    "refuseOwnPayment": Case(PARENTS, path={"booking_id": "booking_unpaid"}),
    "previewCancellation": Case(PARENTS, path={"booking_id": "booking"}),
    "cancelBookingForChild": Case(PARENTS, path={"booking_id": "cancellation_for_child"}),
    "listSisterSessions": Case(PARENTS, path={"booking_id": "booking"}),
    "quoteMove": Case(PARENTS, path={"booking_id": "booking"}, body=a_move_quote),
    "moveBooking": Case(("parent",), 201, {"booking_id": "booking_to_move"}, a_move),
    "listOwnMeetings": Case(PARENTS, path={"booking_id": "booking"}),
    "catchUpMeeting": Case(("parent",), path=CATCHING_UP, body=a_catch_up),
    "learnMeeting": Case(
        PARENTS,
        path={"booking_id": "booking_learning", "meeting_id": "meeting_learnt"},
        body=lambda things: {"persons": [str(things["coparent"])]},
    ),
    "dropCatchUp": Case(PARENTS, 204, {"booking_id": "booking_catching_up", "meeting_id": "meeting_caught_up"}),
    "cancelBooking": Case(PARENTS, path={"booking_id": "cancellation"}),
    "listWaitingEntries": of_family(),
    "joinWaitingList": Case(("parent",), 201, {"family_id": "family"}, a_place_in_line),
    "leaveWaitingList": Case(PARENTS, 204, {"entry_id": "entry_to_leave"}),
    "acceptOfferedSeats": Case(("parent",), path={"entry_id": "entry_with_seats"}),
    "refuseOfferedSeats": Case(PARENTS, path={"entry_id": "other_entry_with_seats"}),
    # trainers
    "listTrainerSessions": Case(("trainer",), path={"trainer_id": "trainer"}),
    "listPayoutAccounts": Case(("trainer",), path={"trainer_id": "trainer"}),
    "givePayoutAccount": Case(("trainer",), 201, {"trainer_id": "trainer"}, a_payout_account),
    "listAccountsToConfirm": Case(("coordinator",), owned=False),
    "confirmPayoutAccount": Case(("coordinator",), path={"account_id": "payout_account"}, owned=False),
    "refusePayoutAccount": Case(("coordinator",), path={"account_id": "payout_account_to_refuse"}, owned=False),
    # papers
    "listInvoices": Case(SEES_INVOICES, path={"trainer_id": "trainer"}),
    "getInvoice": Case(SEES_INVOICES, path=INVOICE),
    "getEInvoice": Case(SEES_INVOICES, path=INVOICE),
    "listEarnings": Case(SEES_INVOICES, path={"trainer_id": "trainer"}),
    "listSelfBilling": Case(SEES_INVOICES, path={"trainer_id": "trainer"}),
    "agreeSelfBilling": Case(("trainer",), 201, {"trainer_id": "trainer"}, an_agreement),
    "endSelfBilling": Case(("trainer",), path={"trainer_id": "trainer"}),
    "getTopUpRequest": of_organisation(ORGANISATION, path={"top_up_id": "top_up_received"}),
    "getTopUpReceipt": of_organisation(ORGANISATION, path={"top_up_id": "top_up_received"}),
    "getTopUpEInvoice": of_organisation(ORGANISATION, path={"top_up_id": "top_up_received"}),
    "getBillingDetails": of_organisation(PAYERS),
    "putBillingDetails": of_organisation(PAYERS, body=billing),
    "listVatTreatments": Case(("coordinator",), owned=False),
    "setVatTreatment": Case(("coordinator",), 201, body=a_treatment, owned=False),
    "publishCourseSession": Case(("trainer",), 201, body=a_session),
    "listParticipants": Case(("trainer",), path=SESSION),
    "recordAttendance": Case(
        ("trainer",), path={"session_id": "past", "meeting_id": "meeting_of_past"}, body=lambda _: {"absent": []}
    ),
    "listElearning": Case(("trainer",), path={"session_id": "session_of_two"}),
    "publishElearning": Case(
        ("trainer",),
        path={"session_id": "session_of_two"},
        body=lambda _: {"number": 1, "title": "Alleen", "link": "https://leren.example/1", "duration_minutes": 60},
    ),
    "completeElearning": Case(
        ("trainer",),
        path={"session_id": "session_of_two", "booking_id": "booking_learning", "person_id": "coparent"},
    ),
    "completeCourseSession": Case(("trainer",), path={"session_id": "past_to_complete"}),
    "callOffCourseSession": Case(
        ("trainer", "coordinator"), path={"session_id": "session_to_call_off"}, body=lambda _: {"reason": "Ziek."}
    ),
    "callOffMeeting": Case(
        ("trainer", "coordinator"),
        path={"session_id": "session_of_two", "meeting_id": "meeting_to_call_off"},
        body=lambda _: {"reason": "Ziek."},
    ),
    # seats by party
    "listDialogues": Case(("coordinator",), owned=False),
    "getDialogue": Case(("coordinator",), path=DIALOGUE, owned=False),
    "giveSeat": Case(("coordinator",), 201, DIALOGUE, a_guest("guest"), owned=False),
    "takeSeatBack": Case(("coordinator",), 204, DIALOGUE | {"booking_id": "seat"}, owned=False),
    "putInLine": Case(("coordinator",), 201, DIALOGUE, a_guest("guest_to_wait"), owned=False),
    "takeOffLine": Case(("coordinator",), 204, DIALOGUE | {"entry_id": "seat_in_line"}, owned=False),
    # the own seats of who has no family
    "listOwnSeats": Case(("worker",), owned=False),
    "acceptOwnSeat": Case(("worker",), path={"booking_id": "seat_to_accept"}),
    "refuseOwnSeat": Case(("worker",), path={"booking_id": "seat_to_refuse"}, body=lambda _: {"reason": "no_time"}),
    "giveUpOwnSeat": Case(("worker",), 204, {"booking_id": "seat_to_give_up"}),
    # organisations
    "getPot": of_organisation(ORGANISATION),
    "getOrganisationOverview": of_organisation(ORGANISATION),
    "listTopUps": of_organisation(ORGANISATION),
    "requestTopUp": of_organisation(PAYERS, 201, body=a_top_up),
    "cancelTopUp": of_organisation(PAYERS, path={"top_up_id": "top_up_to_cancel"}),
    "grantBudget": of_organisation(PAYERS, 201, body=a_grant),
    "listGrantRequests": of_organisation(PAYERS),
    "approveGrantRequest": of_organisation(PAYERS, path={"request_id": "grant_request"}),
    "refuseGrantRequest": of_organisation(
        PAYERS, path={"request_id": "grant_request_to_refuse"}, body=lambda _: {"reason": "Eerst overleggen."}
    ),
    "listPolicies": of_organisation(ORGANISATION),
    "listSettlements": of_organisation(PAYERS),
    "addPolicy": of_organisation(PAYERS, 201, body=a_policy),
    "joinCohort": of_organisation(
        PAYERS, 201, path={"policy_id": "policy"}, body=lambda things: {"families": [str(things["family"])]}
    ),
    "grantByPolicy": of_organisation(
        PAYERS, 201, path={"policy_id": "policy_to_grant"}, body=lambda _: {"id": str(new_id())}
    ),
    "listTariffs": everybody(),
    "addTariff": Case(("coordinator",), 201, body=a_tariff, owned=False),
    "endTariff": Case(
        ("coordinator",), path={"tariff_id": "tariff"}, body=lambda _: {"last_day": text_of(1_500)}, owned=False
    ),
    "addOwnTariff": of_organisation(PAYERS, 201, body=a_tariff_of_its_own),
    "endOwnTariff": of_organisation(
        PAYERS, path={"tariff_id": "own_tariff"}, body=lambda _: {"last_day": text_of(1_500)}
    ),
    "listOpenTopUps": Case(("coordinator",), owned=False),
    "confirmTopUp": Case(
        ("coordinator",), path={"top_up_id": "top_up"}, body=lambda _: {"received_on": text_of(0)}, owned=False
    ),
    # the finance desk
    "listFinanceTasks": of_desk(),
    "closeFinanceTask": of_desk({"task_id": "finance_task"}, lambda _: {"outcome": "Gebeld met de betaaldienst."}),
    "listBankStatements": of_desk(),
    "importBankStatements": of_desk(None, a_statement, 201),
    "listBankEntries": of_desk(),
    "explainBankEntry": of_desk({"entry_id": "entry"}, lambda _: {"what": "cost", "reason": "Kosten van januari."}),
    "listReadyToPay": of_desk(),
    "listPayouts": of_desk(),
    "draftPayout": of_desk(None, lambda _: {"id": str(new_id())}, 201),
    "getPayout": of_desk({"payout_id": "payout_under_way"}),
    "approvePayout": of_desk({"payout_id": "payout_to_approve"}),
    "cancelPayout": of_desk({"payout_id": "payout_to_drop"}),
    "getPayoutFile": of_desk({"payout_id": "payout_under_way"}),
    "importStatusReport": of_desk(None, a_status_report, 201),
    "refundTopUp": of_desk(
        {"top_up_id": "top_up_paid"}, lambda _: {"id": str(new_id()), "amount_cents": 100, "dry_run": False}, 201
    ),
    "trustPayer": of_desk(
        {"organisation_id": "organisation"}, lambda _: {"id": str(new_id()), "reason": "Getekende afspraak."}
    ),
    "endTrust": of_desk({"organisation_id": "organisation"}, None, 204),
    # rounds
    "listRounds": Case(("coordinator",), owned=False),
    "openRound": Case(("coordinator",), 201, body=a_round, owned=False),
    "getRound": Case(("coordinator",), path={"round_id": "round"}, owned=False),
    "solveRound": Case(("coordinator",), 202, {"round_id": "round_to_solve"}, owned=False),
    "publishRound": Case(
        ("coordinator",),
        path={"round_id": "round_to_publish"},
        body=lambda _: {"answer_until": (clock.now() + timedelta(days=4)).isoformat()},
        owned=False,
    ),
    "getRoundInstance": Case(("coordinator",), path={"round_id": "round"}, owned=False),
    "getRoundOutcome": Case(("coordinator",), path={"round_id": "round"}, owned=False),
}


@dataclass(frozen=True)
class Operation:
    """An operation as the OpenAPI document tells it."""

    name: str
    method: str
    path: str
    body: Mapping[str, Any] | None
    answers: Mapping[str, Any]


def operations(document: Mapping[str, Any]) -> dict[str, Operation]:
    """Every operation of the document, by its operationId."""
    return {
        told["operationId"]: Operation(
            told["operationId"],
            method.upper(),
            path,
            told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema"),
            told["responses"],
        )
        for path, item in document["paths"].items()
        for method, told in item.items()
    }
