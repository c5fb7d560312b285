"""What can be refused about people: each error says which constraint speaks through it."""

from leerbudget.foundation.errors import Conflict, InvalidInput, NotFound


class RefTaken(Conflict):
    """Another row carries this external reference already. `refs` says which, where known."""

    code = "ref_taken"
    message_nl = "Dit kenmerk is al van iemand anders."
    constraint = ("organisation_ref_once", "family_ref_once", "person_ref_once", "person_number_once")


class RefTwice(InvalidInput):
    """The same external reference stands twice in what was sent. `refs` lists them."""

    code = "ref_twice"
    message_nl = "Hetzelfde kenmerk staat er twee keer in: {refs}."


class UnknownCode(InvalidInput):
    """A value outside a closed list of requirements section 4."""

    code = "unknown_code"
    message_nl = "Deze waarde kennen we niet."
    constraint = (
        "organisation_kind_is_known",
        "family_type_is_known",
        "care_forms_are_known",
        "child_age_bands_are_known",
        "party_is_known",
    )


class PostcodeNotValid(InvalidInput):
    """Not the four digits of a Dutch postcode."""

    code = "postcode_not_valid"
    message_nl = "Vul de vier cijfers van de postcode in, bijvoorbeeld 3511."
    constraint = "postcode_has_four_digits"


class ParentsHaveAFamily(InvalidInput):
    """A foster parent without a family, or a family on somebody who is not a foster parent."""

    code = "parents_have_a_family"
    message_nl = "Een pleegouder hoort bij een gezin, en alleen een pleegouder."
    constraint = "parents_have_a_family"


class RelationNotValid(InvalidInput):
    """A relation that ends before it starts."""

    code = "relation_not_valid"
    message_nl = "De einddatum ligt voor de begindatum."
    constraint = "relation_ends_after_start"


class NotAProfessional(InvalidInput):
    """Only a foster-care worker or guardian worker can be a family's own professional (R65)."""

    code = "not_a_professional"
    message_nl = "Deze persoon is geen pleegzorgbegeleider of jeugdbeschermer."


class RelationKnown(Conflict):
    """This relation with this start date is there already."""

    code = "relation_known"
    message_nl = "Deze begeleider staat er al."
    constraint = "relation_once"


class AvoidKnown(Conflict):
    """This wish not to meet somebody is there already."""

    code = "avoid_known"
    message_nl = "Dit staat er al."
    constraint = "avoid_once"


class PeopleUnknown(NotFound):
    """The organisation, family or person that was named does not exist."""

    code = "people_unknown"
    message_nl = "Deze organisatie, dit gezin of deze persoon kennen we niet."
    constraint = (
        "family_organisation_fkey",
        "person_family_fkey",
        "person_organisation_fkey",
        "professional_relation_family_fkey",
        "professional_relation_professional_fkey",
        "avoid_entry_family_fkey",
        "avoid_entry_person_fkey",
    )
