"""What bookings refuse."""

from leerbudget.foundation.errors import InvalidInput, LeerbudgetError, NotFound


class AlreadyBooked(LeerbudgetError):
    """One of the persons already has a live booking for this course session."""

    code = "already_booked"
    message_nl = "U bent al ingeschreven voor deze bijeenkomst."
    constraint = "one_live_booking_per_person"


class MeetingsOverlap(LeerbudgetError):
    """One of the persons already has another meeting at that time (I7)."""

    code = "meetings_overlap"
    message_nl = "Op dat moment hebt u al een andere bijeenkomst."
    constraint = "one_meeting_at_a_time"


class NotTogether(LeerbudgetError):
    """Own professional or somebody on an avoid list is in the room (R65, R66); the sentence stays neutral."""

    code = "not_together"
    message_nl = "Deze bijeenkomst past niet bij de groep die er al is. Kies een andere datum."


class NotForThisFamily(LeerbudgetError):
    """The course says it is not for this kind of family (R17, R18)."""

    code = "not_for_this_family"
    message_nl = "Deze cursus is voor een andere groep pleeggezinnen bedoeld."


class PersonsUnknown(LeerbudgetError):
    """The persons do not exist or do not belong to this family."""

    code = "persons_unknown"
    status = 422
    message_nl = "Deze personen horen niet bij dit pleeggezin."


class ChildcareMismatch(LeerbudgetError):
    """More children for the childcare than a family has age bands for, or an impossible number."""

    code = "childcare_mismatch"
    status = 422
    message_nl = "Het aantal kinderen voor de opvang klopt niet."
    constraint = ("booking_childcare_once", "booking_childcare_band_is_known", "booking_childcare_is_positive")


class PriceChanged(LeerbudgetError):
    """The price is not the one that was shown before confirming (R04). `price_cents` is what it is now, for all."""

    code = "price_changed"
    message_nl = "De prijs is veranderd sinds u de pagina opende. Kijk opnieuw wat het kost."


class FeeChanged(LeerbudgetError):
    """Giving up the seats costs something else than was shown. `fee_cents` is what it costs now."""

    code = "fee_changed"
    message_nl = "De kosten zijn veranderd sinds u de pagina opende. Kijk opnieuw wat het kost."


class BookingUnknown(LeerbudgetError):
    """There is no such booking."""

    code = "booking_unknown"
    status = 404
    message_nl = "Deze inschrijving is er niet, of u mag haar niet zien."


class OfferLapsed(LeerbudgetError):
    """The offer was answered before, or its time is over."""

    code = "offer_lapsed"
    message_nl = "Dit voorstel is al beantwoord, of de tijd om te antwoorden is voorbij."


class OwnShareUnpaid(LeerbudgetError):
    """The family pays part of the price itself, and that did not come in yet: until then the seat is only kept."""

    code = "own_share_unpaid"
    message_nl = "Deze plaats is van u zodra uw eigen deel betaald is."
    constraint = "unpaid_seats_are_only_kept"


class AnotherSeatUnpaid(LeerbudgetError):
    """The family has a seat of which it did not pay its own share yet; it pays for that one, or gives it up, first."""

    code = "another_seat_unpaid"
    message_nl = "U moet nog een andere plaats betalen. Betaal die eerst, of laat die plaats gaan."
    constraint = "one_unpaid_seat_per_family"


class NotCancellable(LeerbudgetError):
    """The booking is not running any more, or its first meeting has begun."""

    code = "not_cancellable"
    message_nl = "Afmelden kan niet meer: de inschrijving is al gestopt of de cursus is al begonnen."


class EmergenciesUsed(LeerbudgetError):
    """The family cancelled for something with a child as often as the course allows in a year."""

    code = "emergencies_used"
    message_nl = "Kosteloos annuleren om een kind is voor dit jaar al gebruikt."


class NotASister(LeerbudgetError):
    """The other session is not of the same course, or is the same session."""

    code = "not_a_sister"
    message_nl = "Overstappen kan alleen naar een andere datum van dezelfde cursus."


class MeetingNotOver(LeerbudgetError):
    """Attendance is recorded after the meeting."""

    code = "meeting_not_over"
    message_nl = "Aanwezigheid invullen kan na afloop van de bijeenkomst."


class NotTheSameMeeting(LeerbudgetError):
    """Only the same meeting (its number) of another group of the course can be caught up; never in a dialogue."""

    code = "not_the_same_meeting"
    message_nl = "Inhalen kan alleen bij dezelfde keer van een andere groep van deze cursus."


class NothingMissed(LeerbudgetError):
    """One of them was at the meeting."""

    code = "nothing_missed"
    message_nl = "Deze keer hoeft u niet in te halen: u was erbij."


class CatchUpUsed(LeerbudgetError):
    """Everybody catches up one meeting of a course."""

    code = "catch_up_used"
    message_nl = "Van een cursus kunt u één keer inhalen. U haalt al een keer in."
    constraint = "one_catch_up_per_person"


class CountsOnce(LeerbudgetError):
    """Somebody was at a meeting, or catches it up: never both."""

    code = "counts_once"
    message_nl = "Iemand haalt deze keer al in. Bij de eigen groep was deze persoon er dus niet."
    constraint = "one_presence_per_meeting"


class NoElearning(LeerbudgetError):
    """The trainer published no e-learning for this meeting."""

    code = "no_elearning"
    message_nl = "Voor deze keer is er geen e-learning."


class CatchUpUnknown(LeerbudgetError):
    """Nobody of this booking catches up that meeting."""

    code = "catch_up_unknown"
    status = 404
    message_nl = "Deze keer wordt niet ingehaald."


class CatchUpOver(LeerbudgetError):
    """The booking stopped, or the meeting at which they catch up has begun."""

    code = "catch_up_over"
    message_nl = "Dit kan niet meer: de inschrijving is gestopt of de datum is voorbij."


class MeetingTookPlace(LeerbudgetError):
    """Somebody was there, so it took place."""

    code = "meeting_took_place"
    message_nl = "Bij deze datum was iemand aanwezig. Hij ging dus door."


class AttendanceMissing(LeerbudgetError):
    """Attendance of `missing` places is not recorded yet, so nothing can be paid."""

    code = "attendance_missing"
    message_nl = "Vul eerst van iedereen in of die er was. Er ontbreken nog {missing} antwoorden."


class KeptForWaiting(LeerbudgetError):
    """A seat that became free is first for who waits for this course."""

    code = "kept_for_waiting"
    message_nl = "Deze plaats is eerst voor gezinnen op de wachtlijst. Kijk over een paar minuten nog eens."


class AlreadyInCourse(LeerbudgetError):
    """One of the persons has a place in another session of this course."""

    code = "already_in_course"
    message_nl = "U hebt al een plaats in deze cursus."


class AlreadyWaiting(LeerbudgetError):
    """One of the persons waits for this course already."""

    code = "already_waiting"
    message_nl = "U staat al op de wachtlijst voor deze cursus."
    constraint = "one_place_in_line_per_person"


class GuestUnknown(LeerbudgetError):
    """Nobody without a family has this address or reference."""

    code = "guest_unknown"
    status = 422
    message_nl = "Wij kennen niemand met dit adres of kenmerk die hier een plaats kan krijgen."


class GuestNotClear(LeerbudgetError):
    """Several people without a family share this address."""

    code = "guest_not_clear"
    status = 422
    message_nl = "Dit adres is van meer mensen. Vul het kenmerk van de persoon in."


class NoPartySeats(LeerbudgetError):
    """The session has no seats by party, or none for this person's party (R64)."""

    code = "no_party_seats"
    message_nl = "Deze bijeenkomst heeft geen plaatsen voor de partij van deze persoon."


class WaitingUnknown(LeerbudgetError):
    """There is no such place in line."""

    code = "waiting_unknown"
    status = 404
    message_nl = "Deze plek op de wachtlijst is er niet, of u mag haar niet zien."


class NotWaiting(LeerbudgetError):
    """Nobody waits here any more: the seats were taken, or they left the line before."""

    code = "not_waiting"
    message_nl = "U staat niet meer op deze wachtlijst."


class BookingNotValid(InvalidInput):
    """A booking, or somebody's attendance, that cannot be."""

    code = "booking_not_valid"
    message_nl = "Deze inschrijving klopt niet."
    constraint = (
        "booking_state_is_known",
        "booking_origin_is_known",
        "booking_has_persons",
        "booking_price_not_negative",
        "fee_within_price",
        "own_share_within_price",
        "only_cancelling_costs_a_fee",
        "only_a_fee_is_returned",
        "only_moved_names_where_to",
        "offers_have_a_deadline",
        "only_ended_bookings_have_ended",
        "booking_person_once",
        "attendance_once",
        "attendance_state_is_known",
        "attendance_is_somewhere",
        "elearning_replaces_a_meeting",
        "elearning_takes_no_hour",
        "elearning_is_done_or_not",
    )


class WaitingNotValid(InvalidInput):
    """A place in line that cannot be."""

    code = "waiting_not_valid"
    message_nl = "Deze plek op de wachtlijst klopt niet."
    constraint = (
        "waiting_state_is_known",
        "only_ended_waiting_has_ended",
        "who_is_offered_has_a_booking",
        "waiting_person_once",
        "one_try_per_session",
    )


class BookedUnknown(NotFound):
    """A booking or a place in line names somebody or something that does not exist."""

    code = "booked_unknown"
    message_nl = "Iets in deze inschrijving bestaat niet."
    constraint = (
        "booking_family_fkey",
        "booking_session_fkey",
        "booking_wish_fkey",
        "booking_person_booking_fkey",
        "booking_person_session_fkey",
        "booking_person_person_fkey",
        "attendance_booking_fkey",
        "attendance_person_fkey",
        "attendance_unit_fkey",
        "booking_childcare_booking_fkey",
        "waiting_entry_family_fkey",
        "waiting_entry_course_fkey",
        "waiting_entry_session_fkey",
        "waiting_entry_wish_fkey",
        "waiting_entry_booking_fkey",
        "waiting_person_entry_fkey",
        "waiting_person_course_fkey",
        "waiting_person_person_fkey",
        "waiting_try_entry_fkey",
        "waiting_try_session_fkey",
    )
