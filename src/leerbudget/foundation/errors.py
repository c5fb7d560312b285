"""One family of errors, mapped once to HTTP (RFC 9457) and once to the command line.

An error carries its data as keyword arguments. `message_nl` is the plain Dutch sentence a
person reads; `code` is stable and for programs. A room names its own errors in `errors.py`.
A database constraint refuses under its own name: an error that sets `constraint` is what
callers get when that constraint fires (`foundation.database.together` translates). A function of the
database refuses by an error's code (`rooms.refuse`), with its data.
"""

from typing import Any, ClassVar

from leerbudget.foundation.money import euros


class LeerbudgetError(Exception):
    """Something that was asked cannot be done; nothing changed."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 409
    message_nl: ClassVar[str] = "Dat kan nu niet."
    constraint: ClassVar[str | tuple[str, ...]] = ()

    _by_constraint: ClassVar[dict[str, type["LeerbudgetError"]]] = {}
    _by_code: ClassVar[dict[str, type["LeerbudgetError"]]] = {}

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.message_nl.format_map(_Lenient(data)))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = (cls.constraint,) if isinstance(cls.constraint, str) else cls.constraint
        for name in names:
            known = LeerbudgetError._by_constraint.setdefault(name, cls)
            if known is not cls:
                raise TypeError(f"{known.__name__} speaks for the constraint {name} already, {cls.__name__} cannot")
        if "code" in cls.__dict__:
            LeerbudgetError._by_code[cls.code] = cls

    @staticmethod
    def for_constraint(name: str | None) -> type["LeerbudgetError"]:
        """The error that stands for the named database constraint; `Conflict` when none claims it."""
        return LeerbudgetError._by_constraint.get(name or "", Conflict)

    @staticmethod
    def for_code(code: str) -> type["LeerbudgetError"]:
        """The error with this code; `Conflict` when there is none."""
        return LeerbudgetError._by_code.get(code, Conflict)

    @staticmethod
    def claimed_constraints() -> frozenset[str]:
        """Every constraint name that an error class claims."""
        return frozenset(LeerbudgetError._by_constraint)


class _Lenient(dict[str, Any]):
    """Lets a sentence be built when a piece of its data is unknown (a constraint fired in bulk).

    `{missing_euros}` is `missing_cents` as people write it, never broken over two lines.
    """

    def __missing__(self, key: str) -> str:
        cents = self.get(f"{key.removesuffix('_euros')}_cents")
        if not key.endswith("_euros") or not isinstance(cents, int):
            return "…"
        return euros(cents).replace(" ", "\N{NO-BREAK SPACE}")


class InvalidInput(LeerbudgetError):
    """What was sent has the wrong shape. `errors` lists every place: [{"path": …, "message": …}]."""

    code = "invalid_input"
    status = 422
    message_nl = "Er klopt iets niet in wat u invulde."


class NotFound(LeerbudgetError):
    """It does not exist, or the asker may not know that it does (both look the same)."""

    code = "not_found"
    status = 404
    message_nl = "Dit is er niet, of u mag het niet zien."


class NotLoggedIn(LeerbudgetError):
    """The asker must log in first."""

    code = "not_logged_in"
    status = 401
    message_nl = "Log eerst in."


class Conflict(LeerbudgetError):
    """The state of things does not allow it."""

    code = "conflict"
    status = 409
    message_nl = "Dat past niet bij hoe het er nu voor staat."


class IdempotencyMismatch(LeerbudgetError):
    """The same id was used before with other content."""

    code = "idempotency_mismatch"
    status = 422
    message_nl = "Dit nummer is al gebruikt voor iets anders."


class Busy(LeerbudgetError):
    """The database did not get to it in time; trying again later may work."""

    code = "busy"
    status = 503
    message_nl = "Het is even te druk. Probeer het over een halve minuut opnieuw."


class SettingsError(LeerbudgetError):
    """A setting is missing or wrong; the program does not start. `message` says which and why."""

    code = "settings"
    status = 500
    message_nl = "{message}"
