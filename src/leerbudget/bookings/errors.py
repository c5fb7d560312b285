"""What bookings refuse."""

from leerbudget.foundation.errors import LeerbudgetError


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


class PriceChanged(LeerbudgetError):
    """The price is not the one that was shown before confirming (R04). `price_cents` is what it is now, for all."""

    code = "price_changed"
    message_nl = "De prijs is veranderd sinds u de pagina opende. Kijk opnieuw wat het kost."


class BookingUnknown(LeerbudgetError):
    """There is no such booking."""

    code = "booking_unknown"
    status = 404
    message_nl = "Deze inschrijving is er niet, of u mag haar niet zien."


class OfferLapsed(LeerbudgetError):
    """The offer was answered before, or its time is over."""

    code = "offer_lapsed"
    message_nl = "Dit voorstel is al beantwoord, of de tijd om te antwoorden is voorbij."


class NotCancellable(LeerbudgetError):
    """The booking is not running any more, or its first meeting has begun."""

    code = "not_cancellable"
    message_nl = "Afmelden kan niet meer: de inschrijving is al gestopt of de cursus is al begonnen."


class MeetingNotOver(LeerbudgetError):
    """Attendance is recorded after the meeting."""

    code = "meeting_not_over"
    message_nl = "Aanwezigheid invullen kan na afloop van de bijeenkomst."


class AttendanceMissing(LeerbudgetError):
    """Attendance of `missing` places is not recorded yet, so nothing can be paid."""

    code = "attendance_missing"
    message_nl = "Vul eerst van iedereen in of die er was. Er ontbreken nog {missing} antwoorden."
