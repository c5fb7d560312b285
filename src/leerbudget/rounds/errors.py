"""What rounds refuse."""

from leerbudget.foundation.errors import LeerbudgetError


class RoundUnknown(LeerbudgetError):
    """There is no such round."""

    code = "round_unknown"
    status = 404
    message_nl = "Deze koppelronde is er niet."


class WrongRoundState(LeerbudgetError):
    """The step does not follow from the state the round is in."""

    code = "wrong_round_state"
    message_nl = "Deze stap kan nu niet: de koppelronde is '{state}'."


class OutcomeRejected(LeerbudgetError):
    """The independent audit found something; nothing is published."""

    code = "outcome_rejected"
    message_nl = "De controle keurde de uitkomst af: {first}. Er is niets gepubliceerd."


class SolverFailed(LeerbudgetError):
    """The solving process ended without an outcome."""

    code = "solver_failed"
    status = 500
    message_nl = "Het rekenen is niet gelukt: {reason}. De ronde staat nog klaar; probeer het opnieuw."


class PeriodInvalid(LeerbudgetError):
    """The period is in the past, runs backwards or lasts longer than a year."""

    code = "period_invalid"
    status = 422
    message_nl = "De periode moet na vandaag eindigen, vooruit lopen en niet langer dan een jaar duren."
    constraint = "round_period_runs_forward"


class DeadlineInvalid(LeerbudgetError):
    """Families get at least a day to answer, and the deadline lies before the first session's decision date."""

    code = "deadline_invalid"
    status = 422
    message_nl = "Geef gezinnen ten minste een dag om te antwoorden."


class ProposalUnknown(LeerbudgetError):
    """There is no such proposal for this family."""

    code = "proposal_unknown"
    status = 404
    message_nl = "Dit voorstel is er niet, of u mag het niet zien."
