"""Read XML messages of banks (ISO 20022): safely, and to the cent. Plain values in, plain values out.

The text is decoded before it is parsed and may define nothing (no DTD), so there are no entities to expand and
nothing outside the file is ever read.
"""

import re
from collections.abc import Iterable
from datetime import date
from xml.etree import ElementTree as ET

from leerbudget.foundation.money import CENTS_MAX
from leerbudget.payments.bank_errors import (
    BankFileDefines,
    BankFileIncomplete,
    BankFileNotText,
    BankFileNotXml,
    BankFileTooLarge,
    BankFileUnknown,
)

BANK_FILE_BYTES_MAX = 5_000_000
"""A day of thousands of entries fits several times."""

_AMOUNT = re.compile(r"(\d{1,16})(?:\.(\d{1,5}))?", re.ASCII)
_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.\d{3}\.\d{3}\.\d{2})\}Document", re.ASCII)


def message_in(file: bytes, expected: Iterable[str]) -> ET.Element:
    """The root of a message whose name is one of `expected`; its own elements have their bare names.

    Raises:
        BankFileTooLarge: more than `BANK_FILE_BYTES_MAX`.
        BankFileNotText: not UTF-8.
        BankFileDefines: it has a DTD.
        BankFileNotXml: no XML, or not all of it.
        BankFileUnknown: another message.
    """
    if len(file) > BANK_FILE_BYTES_MAX:
        raise BankFileTooLarge
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise BankFileNotText from wrong
    if "<!DOCTYPE" in text:
        raise BankFileDefines
    try:
        root = ET.fromstring(text)  # noqa: S314 - a text without a DTD has no entities
    except (ET.ParseError, ValueError) as wrong:
        raise BankFileNotXml from wrong
    name = _NAMESPACE.fullmatch(root.tag)
    wanted = list(expected)
    if name is None or name[1] not in wanted:
        raise BankFileUnknown(expected=" t/m ".join([*wanted[:1], *wanted[1:][-1:]]))
    space = root.tag.removesuffix("Document")
    for element in root.iter():
        element.tag = element.tag.removeprefix(space)
    return root


def text_at(element: ET.Element, *paths: str) -> str | None:
    """The text at the first of these paths that holds any, on one line; None when none does."""
    for path in paths:
        found = " ".join((element.findtext(path) or "").split())
        if found:
            return found
    return None


def needed(element: ET.Element, *paths: str) -> str:
    """The same, where there has to be one.

    Raises:
        BankFileIncomplete: there is none.
    """
    found = text_at(element, *paths)
    if found is None:
        raise BankFileIncomplete(place=f"{element.tag}/{paths[0]}")
    return found


def cents_at(element: ET.Element, path: str) -> tuple[int, str]:
    """The amount at the path: cents, and its currency.

    Raises:
        BankFileIncomplete: no amount, below zero, or with parts of a cent.
    """
    found = element.find(path)
    place = f"{element.tag}/{path}"
    match = None if found is None else _AMOUNT.fullmatch((found.text or "").strip())
    if found is None or match is None:
        raise BankFileIncomplete(place=place)
    parts = (match[2] or "").ljust(2, "0")
    cents = int(match[1]) * 100 + int(parts[:2])
    if parts[2:].strip("0") or cents > CENTS_MAX:
        raise BankFileIncomplete(place=place)
    return cents, found.get("Ccy", "")


def signed(element: ET.Element, cents: int) -> int:
    """The cents as the element says they go: more than zero to us.

    Raises:
        BankFileIncomplete: it does not say.
    """
    indicator = needed(element, "CdtDbtInd")
    if indicator not in {"CRDT", "DBIT"}:
        raise BankFileIncomplete(place=f"{element.tag}/CdtDbtInd")
    return cents if indicator == "CRDT" else -cents


def day_at(element: ET.Element, path: str) -> date:
    """The day at the path, written as a day or as a moment: the bank's own day.

    Raises:
        BankFileIncomplete: there is none.
    """
    written = needed(element, f"{path}/Dt", f"{path}/DtTm")
    try:
        return date.fromisoformat(written[:10])
    except ValueError as wrong:
        raise BankFileIncomplete(place=f"{element.tag}/{path}") from wrong
