"""Hold our e-invoices against what others publish: the schemas of UBL 2.1, and the rules of EN 16931 and Peppol.

Peppol's rules know no NLCIUS, so a copy of the file that names Peppol's own use of EN 16931 is asked; the rules that
Peppol has for Dutch sellers and buyers run with them.
"""

from functools import cache
from importlib.resources import files

from lxml import etree
from mockeinvoice import validate

from leerbudget.papers.ubl import NLCIUS

PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
SELF_BILLING_OF_ITS_OWN = {"PEPPOL-EN16931-P0100"}
"""Peppol keeps type 389 to another message with the same content; NLCIUS allows it here."""

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"


@cache
def schema(kind):
    """The schema of a kind of document, as OASIS publishes it."""
    return etree.XMLSchema(etree.parse(str(files("peppol") / "schema" / "maindoc" / f"UBL-{kind}-2.1.xsd")))


def faults(content: bytes) -> list[str]:
    """Everything that is wrong with an e-invoice: by its schema, and by every fatal rule and warning."""
    document = etree.fromstring(content)
    kind = etree.QName(document).localname
    found = schema(kind)
    found.validate(document)
    wrong = [str(error) for error in found.error_log]
    _, report = validate(content.replace(NLCIUS.encode(), PEPPOL.encode()))
    assert report.unasked == 0  # every rule that could refuse was asked
    found = [each for each in report.findings if each.code not in SELF_BILLING_OF_ITS_OWN]
    return wrong + [f"{each.code} at {each.path}: {each.text}" for each in found]


def texts(content: bytes, *path: str) -> list[str]:
    """Every text at a path of element names (capitalised aggregate names, the last a basic one)."""
    place = "/".join([*(CAC + name for name in path[:-1]), CBC + path[-1]])
    return [each.text or "" for each in etree.fromstring(content).iterfind(place)]


def cents(content: bytes, *path: str) -> list[int]:
    """Every amount at a path, in cents."""
    return [int(text.replace(".", "")) for text in texts(content, *path)]
