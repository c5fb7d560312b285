"""What can be refused about the catalogue: each error says which constraint speaks through it."""

from leerbudget.foundation.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound


class CatalogueRefTaken(Conflict):
    """Another course, venue or session carries this external reference already."""

    code = "catalogue_ref_taken"
    message_nl = "Dit kenmerk is al in gebruik."
    constraint = ("course_ref_once", "venue_ref_once", "session_ref_once")


class CatalogueRefTwice(InvalidInput):
    """The same external reference stands twice in what was sent. `refs` lists them."""

    code = "catalogue_ref_twice"
    message_nl = "Hetzelfde kenmerk staat er twee keer in: {refs}."


class UnknownCatalogueCode(InvalidInput):
    """A value outside a closed list of requirements section 4."""

    code = "unknown_catalogue_code"
    message_nl = "Deze waarde kennen we niet."
    constraint = (
        "course_theme_is_known",
        "course_form_is_known",
        "course_state_is_known",
        "session_state_is_known",
        "session_party_is_known",
        "childcare_band_is_known",
        "session_role_is_known",
    )


class GuidanceNotAdmitted(InvalidInput):
    """Regular guidance or therapy for the child is never bought from a learning budget (R12)."""

    code = "guidance_not_admitted"
    message_nl = "Reguliere begeleiding wordt niet toegelaten: die betaalt u niet uit een leerbudget."
    constraint = "guidance_is_never_admitted"


class ConditionsNotValid(InvalidInput):
    """Conditions of a course that cannot be: a share above 100 %, or more free cancellations than months in a year."""

    code = "conditions_not_valid"
    message_nl = "Deze voorwaarden voor het annuleren kunnen niet."
    constraint = ("emergencies_are_few", "no_show_is_a_share")


class VenuePostcodeNotValid(InvalidInput):
    """Not the four digits of a Dutch postcode."""

    code = "venue_postcode_not_valid"
    message_nl = "Vul de vier cijfers van de postcode in, bijvoorbeeld 3511."
    constraint = "venue_postcode_has_four_digits"


class SearchPostcodeUnknown(InvalidInput):
    """No such Dutch postcode area."""

    code = "search_postcode_unknown"
    message_nl = "De postcode {postcode4} kennen we niet. Vul vier cijfers in, bijvoorbeeld 3511."


class CursorNotValid(InvalidInput):
    """The mark of where a page of results begins was changed, or belongs to another way of sorting."""

    code = "cursor_not_valid"
    message_nl = "Deze pagina bestaat niet meer. Zoek opnieuw."


class ClockChange(InvalidInput):
    """A time on the clock that does not exist, or exists twice, on the night the clock is changed."""

    code = "clock_change"
    message_nl = "Op {local} gaat de klok vooruit of terug. Schrijf erbij of het zomertijd of wintertijd is."


class CourseNotComplete(InvalidInput):
    """A course misses what its state asks for. `problems`: [{"ref", "path", "code", "message"}]."""

    code = "course_not_complete"
    message_nl = "Deze cursus is nog niet compleet."


class SessionNotValid(InvalidInput):
    """Shape and numbers that cannot be. `problems`: [{"ref", "path", "code", "message"}]."""

    code = "session_not_valid"
    message_nl = "Aan deze bijeenkomst klopt iets niet."
    constraint = (
        "seats_min_fits_max",
        "price_within_bounds",
        "session_ends_after_start",
        "meeting_ends_after_start",
        "meeting_number_once",
        "party_once_per_session",
        "party_min_fits_max",
        "childcare_band_once",
        "person_once_per_session",
    )


class NotPublishable(Conflict):
    """The course is not admitted, or a trainer is not, or not on every date (R19, R55, R56).

    `problems`: [{"ref", "path", "code", "message"}].
    """

    code = "not_publishable"
    message_nl = "Deze bijeenkomst kan niet worden gepubliceerd. {first}"


class PriceNotTariff(Conflict):
    """A tariff applies, and the price that was asked for is another one (R06).

    `problems`: [{"ref", "path", "code", "message"}].
    """

    code = "price_not_tariff"
    message_nl = "De prijs is anders dan het tarief. {first}"


class TariffMissing(Conflict):
    """No price was given, and no tariff applies (R06). `problems`: as for `PriceNotTariff`."""

    code = "tariff_missing"
    message_nl = "Er is geen prijs. {first}"


class TariffNotValid(InvalidInput):
    """A tariff without a meaning. `problems`: [{"ref", "path", "code", "message"}]."""

    code = "tariff_not_valid"
    message_nl = "Aan dit tarief klopt iets niet. {first}"
    constraint = (
        "tariff_scope_is_known",
        "tariff_names_its_scope",
        "tariff_within_bounds",
        "tariff_period_runs_forward",
    )


class TariffOverlaps(Conflict):
    """Another tariff of the course holds for the same place or organisation on one of these days. `refs`: which."""

    code = "tariff_overlaps"
    message_nl = "Voor deze cursus geldt daar op die dagen al een ander tarief. Beëindig dat eerst."
    constraint = "one_tariff_at_a_time"


class TariffKnown(IdempotencyMismatch):
    """The id or reference stands for another tariff: a tariff is never changed. `refs`: which."""

    code = "tariff_known"
    message_nl = "Dit tarief bestaat al, met een andere inhoud. Beëindig het en maak een ander."
    constraint = ("tariff_ref_once", "tariff_pkey")


class TariffUnknown(NotFound):
    """There is no such tariff."""

    code = "tariff_unknown"
    message_nl = "Dit tarief is er niet, of u mag het niet zien."
    constraint = "course_session_tariff_fkey"


class TariffEndNotPossible(Conflict):
    """A tariff would end before today, or later than was agreed. `earliest`, `latest`: the last days it can have."""

    code = "tariff_end_not_possible"
    message_nl = "Een tarief eindigt vandaag of later, en nooit later dan was afgesproken."


class SessionFixed(Conflict):
    """Somebody booked it, or it is over: what people agreed to does not change. `refs` says which sessions."""

    code = "session_fixed"
    message_nl = "Deze bijeenkomst ligt vast: er zijn inschrijvingen, of zij is voorbij."
    constraint = "attendance_meeting_fkey"


class CourseStepNotAllowed(Conflict):
    """A course cannot go from its state to that one (requirements 4.7)."""

    code = "course_step_not_allowed"
    message_nl = "Deze stap kan nu niet voor deze cursus."


class ConditionsInUse(Conflict):
    """Other conditions for cancelling than those under which people booked. `courses` names the references."""

    code = "conditions_in_use"
    message_nl = "Voor deze cursus zijn mensen ingeschreven. Hun voorwaarden om af te zeggen blijven gelden."


class SessionStepNotAllowed(Conflict):
    """A course session cannot go from its state to that one (requirements 4.7)."""

    code = "session_step_not_allowed"
    message_nl = "Dit kan nu niet met deze bijeenkomst."


class SessionUnknown(NotFound):
    """There is no such course session."""

    code = "session_unknown"
    message_nl = "Deze bijeenkomst kennen we niet."
    constraint = (
        "meeting_session_fkey",
        "session_party_session_fkey",
        "childcare_places_session_fkey",
        "session_person_session_fkey",
        "elearning_unit_session_fkey",
    )


class MeetingUnknown(NotFound):
    """There is no such meeting, or it does not take place any more."""

    code = "meeting_unknown"
    message_nl = "Deze datum is er niet, of hij gaat al niet meer door."
    constraint = "cancelled_meeting_session_fkey"


class LastMeeting(Conflict):
    """Without this meeting nothing of the session would be left: then all of it is called off."""

    code = "last_meeting"
    message_nl = "Dit is de enige datum die nog over is. Laat dan de hele cursus niet doorgaan."


class MeetingCancelled(Conflict):
    """The meeting was called off before."""

    code = "meeting_cancelled"
    message_nl = "Deze datum gaat al niet door."
    constraint = "cancelled_meeting_once"


class UnitNotValid(InvalidInput):
    """An e-learning unit that cannot be: its link, its length, or a second one for the meeting."""

    code = "unit_not_valid"
    message_nl = "Deze e-learning klopt niet. Kijk naar de link en de duur."
    constraint = ("one_unit_per_meeting", "unit_link_is_safe", "unit_fits_a_day")


class CatalogueUnknown(NotFound):
    """The course, venue, trainer, person or organisation that was named does not exist."""

    code = "catalogue_unknown"
    message_nl = "Deze cursus, plek, trainer of persoon kennen we niet."
    constraint = (
        "course_organisation_fkey",
        "course_session_course_fkey",
        "course_session_venue_fkey",
        "course_session_trainer_fkey",
        "session_person_person_fkey",
        "tariff_course_fkey",
        "tariff_organisation_fkey",
    )


class NotBookable(Conflict):
    """The session is not open for booking: its state, its course's admission, or it has begun (R19)."""

    code = "not_bookable"
    message_nl = "Voor deze bijeenkomst kunt u zich nu niet inschrijven."


class SessionFull(Conflict):
    """Fewer free seats than asked for. `free` says how many there were."""

    code = "session_full"
    message_nl = "Er zijn niet genoeg plaatsen vrij."
    constraint = "seats_within_capacity"


class PartyFull(Conflict):
    """Fewer free seats for this party than asked for (R64)."""

    code = "party_full"
    message_nl = "Er zijn voor uw groep niet genoeg plaatsen vrij."
    constraint = "party_within_capacity"


class ChildcareFull(Conflict):
    """Fewer childcare places than asked for (R52). `bands` says at which ages."""

    code = "childcare_full"
    message_nl = "Er zijn niet genoeg plaatsen bij de opvang."
    constraint = "childcare_within_capacity"


class SeatsNotTaken(Conflict):
    """More seats or childcare places are given back than were taken."""

    code = "seats_not_taken"
    message_nl = "Deze plaatsen waren niet bezet."
