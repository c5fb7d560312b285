"""The objects of the imitation: kept in memory, and in a file when one is given."""

import copy
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from leerbudget.entrypoints.sandbox.refusals import Refusal, missing
from leerbudget.foundation.clock import now
from leerbudget.foundation.errors import SettingsError

PREFIXES = {
    "checkout.session": "cs_test",
    "payment_intent": "pi",
    "charge": "ch",
    "refund": "re",
    "dispute": "du",
    "balance_transaction": "txn",
    "payout": "po",
    "event": "evt",
}
EXPAND_DEPTH_MAX = 4
KEY_SECONDS = 24 * 3600
"""How long an idempotency key is remembered."""

_BY_ID = ("payment_intent", "latest_charge", "charge", "balance_transaction", "failure_balance_transaction", "source")
"""The fields that hold the id of another object, or on request that object."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request with an idempotency key was, and what it was told."""

    fingerprint: str
    status: int
    answer: dict[str, Any]
    at: int


@dataclass
class Books:
    """Every object by kind and id, the oldest first.

    Args:
        clock: what time it is.
        file: where everything is kept; None: nowhere.
        address: where the imitation can be reached; its pages are below it.
        objects: the objects themselves.
        notes: per session what Stripe does not show of it.
        keys: answers by idempotency key.
        unsent: the events that the website was not told yet.
    """

    clock: Callable[[], datetime] = now
    file: Path | None = None
    address: str = "http://127.0.0.1"
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {kind: {} for kind in PREFIXES})
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, Answered] = field(default_factory=dict)
    unsent: list[str] = field(default_factory=list)

    def seconds(self) -> int:
        """The present moment as Stripe writes it."""
        return int(self.clock().timestamp())

    def add(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A new object."""
        identifier = f"{PREFIXES[kind]}_{secrets.token_hex(12)}"
        made = {"id": identifier, "object": kind, "created": self.seconds(), "livemode": False, **fields}
        self.objects[kind][identifier] = made
        return made

    def get(self, kind: str, identifier: object) -> dict[str, Any]:
        """An object, to be changed in place.

        Raises:
            Refusal: there is none.
        """
        found = self.objects[kind].get(str(identifier))
        if found is None:
            raise missing(kind, str(identifier))
        return found

    def where(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """The objects of which these fields have these values, the newest first."""
        newest = reversed(list(self.objects[kind].values()))
        return [each for each in newest if all(each.get(name) == value for name, value in fields.items())]

    def tell(self, event: str, about: dict[str, Any]) -> None:
        """Something happened: an event with the object as it is now."""
        data = {"object": copy.deepcopy(about)}
        request = {"id": None, "idempotency_key": None}
        made = self.add("event", type=event, data=data, request=request, pending_webhooks=1, api_version=None)
        self.unsent.append(made["id"])

    def shown(self, thing: dict[str, Any], expand: list[str]) -> dict[str, Any]:
        """A copy of an object, with others in full where that is asked.

        Raises:
            Refusal: there is nothing to show in full at that place.
        """
        copied = copy.deepcopy(thing)
        for path in expand:
            parts = path.split(".")
            if len(parts) > EXPAND_DEPTH_MAX:
                raise Refusal(f"You cannot expand more than {EXPAND_DEPTH_MAX} levels of a property", param="expand")
            self._expand(copied, parts, path)
        return copied

    def _expand(self, at: dict[str, Any], parts: list[str], path: str) -> None:
        name, *rest = parts
        if name not in at or (name not in _BY_ID and not isinstance(at[name], list)):
            raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
        if isinstance(at[name], str):
            at[name] = copy.deepcopy(self._any(at[name]))
        for inner in at[name] if isinstance(at[name], list) else [at[name]]:
            if rest and inner is not None:
                self._expand(inner, rest, path)

    def _any(self, identifier: str) -> dict[str, Any]:
        for things in self.objects.values():
            if identifier in things:
                return things[identifier]
        raise missing("object", identifier)

    def answered(self, key: str, fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        """What was told before under an idempotency key; None: it is new.

        Raises:
            Refusal: the key was used for another request.
        """
        known = self.keys.get(key)
        if known is None or known.at < self.seconds() - KEY_SECONDS:
            return None
        if known.fingerprint != fingerprint:
            told = "Keys for idempotent requests can only be used with the same parameters they were first used with."
            raise Refusal(told, kind="idempotency_error")
        return known.status, known.answer

    def remember(self, key: str, fingerprint: str, status: int, answer: dict[str, Any]) -> None:
        """Give this answer to whoever asks the same again under this key."""
        self.keys[key] = Answered(fingerprint, status, answer, self.seconds())

    def save(self) -> None:
        """Write everything to the file, if there is one: all of it or nothing."""
        if self.file is None:
            return
        keys = {key: [each.fingerprint, each.status, each.answer, each.at] for key, each in self.keys.items()}
        kept = {"objects": self.objects, "notes": self.notes, "keys": keys, "unsent": self.unsent}
        beside = self.file.with_name(f"{self.file.name}.part")
        with beside.open("w") as out:
            json.dump(kept, out)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self.file)

    def load(self) -> None:
        """Take over what the file has, if there is one.

        Raises:
            SettingsError: it is a file of something else.
        """
        if self.file is None or not self.file.exists():
            return
        try:
            kept = json.loads(self.file.read_text())
            self.objects = {kind: kept["objects"].get(kind, {}) for kind in PREFIXES}
            self.notes, self.unsent = kept["notes"], kept["unsent"]
            self.keys = {key: Answered(*each) for key, each in kept["keys"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise SettingsError(message=f"{self.file} is geen bestand van de nagebootste betaaldienst.") from None

    def sessions_to_lapse(self) -> Iterator[dict[str, Any]]:
        """The open sessions whose time is over."""
        for session in list(self.objects["checkout.session"].values()):
            if session["status"] == "open" and session["expires_at"] <= self.seconds():
                yield session
