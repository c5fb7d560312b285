"""What can be refused about the trainer pool."""

from leerbudget.foundation.errors import Conflict, InvalidInput, NotFound


class TrainerRefTaken(Conflict):
    """Another pool member carries this external reference already."""

    code = "trainer_ref_taken"
    message_nl = "Dit kenmerk is al in gebruik voor een andere trainer."
    constraint = "trainer_ref_once"


class TrainerRefTwice(InvalidInput):
    """The same external reference stands twice in what was sent. `refs` lists them."""

    code = "trainer_ref_twice"
    message_nl = "Hetzelfde kenmerk staat er twee keer in: {refs}."


class AlreadyInPool(Conflict):
    """This person is in the trainer pool already, under another reference."""

    code = "already_in_pool"
    message_nl = "Deze persoon staat al in de poule van trainers."
    constraint = "trainer_person_once"


class UnknownTrainerState(InvalidInput):
    """A state outside the closed list of requirements 4.7."""

    code = "unknown_trainer_state"
    message_nl = "Deze stap voor een trainer kennen we niet."
    constraint = "trainer_state_is_known"


class CertificateMissing(InvalidInput):
    """Nobody is admitted without a certificate of conduct that says until when it holds (R56)."""

    code = "certificate_missing"
    message_nl = "Vul in tot wanneer de VOG geldig is. Zonder VOG kan een trainer niet worden toegelaten."
    constraint = "admitted_with_certificate"


class TrainerStepNotAllowed(Conflict):
    """A pool member cannot go from its state to that one (requirements 4.7). `trainers` says who."""

    code = "trainer_step_not_allowed"
    message_nl = "Deze stap kan nu niet voor deze trainer."


class UnknownTheme(InvalidInput):
    """A theme outside the closed list. `themes` says which."""

    code = "unknown_theme"
    message_nl = "Dit thema kennen we niet: {themes}."


class TrainerUnknown(NotFound):
    """There is no such trainer, or the person behind it does not exist."""

    code = "trainer_unknown"
    message_nl = "Deze trainer kennen we niet."
    constraint = ("trainer_person_fkey", "trainer_employer_trainer_fkey")


class EmployerUnknown(NotFound):
    """A trainer would work for an organisation that does not exist."""

    code = "employer_unknown"
    message_nl = "Deze organisatie kennen we niet."
    constraint = "trainer_employer_organisation_fkey"


class EmployerKnown(Conflict):
    """For this month another employer was noted at the same moment."""

    code = "employer_known"
    message_nl = "Voor deze maand staat al bij wie deze trainer werkt."
    constraint = "one_employer_a_month"


class EmployerTooLate(InvalidInput):
    """For whom somebody works counts for whole months, and never for one that is over."""

    code = "employer_too_late"
    message_nl = "Voor wie een trainer werkt, telt voor hele maanden en nooit terug."
    constraint = ("employer_from_a_first_day", "employer_never_from_before")
