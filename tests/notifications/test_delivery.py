"""One contract for both ways of delivering: a real SMTP server and the local mailbox."""

from dataclasses import dataclass

import pytest

from leerbudget.notifications import queries
from leerbudget.notifications.delivery import Delivery, MailboxDelivery, SmtpDelivery, delivery_for
from leerbudget.notifications.errors import DeliveryFailed
from leerbudget.notifications.rules import Letter
from notifications.mail_server import MailServer, mail_server

LETTER = Letter(
    "<0123@leerbudget.example>", "ouder@fictief.example", "Er staat iets klaar", "Beste lezer,\n\nEen é en een €.\n"
)


@dataclass
class Arrived:
    """A letter as it arrived, whichever way."""

    message_id: str
    address: str
    subject: str
    body: str


@pytest.fixture(params=["smtp", "mailbox"])
async def way(request, world_db):
    """A delivery, and a way to see what arrived."""
    if request.param == "mailbox":

        async def arrived() -> list[Arrived]:
            return [Arrived(m.message_id, m.address, m.subject, m.body) for m in reversed(await queries.mailbox())]

        yield MailboxDelivery(), arrived
        return
    async with mail_server() as server:

        async def arrived() -> list[Arrived]:
            return [
                Arrived(m["Message-ID"], m["To"], m["Subject"], m.get_content().replace("\r\n", "\n"))
                for m in server.letters
            ]

        yield SmtpDelivery(f"smtp://127.0.0.1:{server.port}", "leerbudget@leerbudget.example"), arrived


async def test_a_letter_arrives_whole(way):
    """Address, subject, Message-ID and body, with accents and euro signs."""
    delivery, arrived = way
    await delivery.deliver(LETTER)
    assert await arrived() == [Arrived(LETTER.message_id, LETTER.address, LETTER.subject, LETTER.body)]


async def test_letters_stay_apart(way):
    """Two letters to two addresses arrive as two."""
    delivery, arrived = way
    for n in range(2):
        await delivery.deliver(Letter(f"<{n}@leerbudget.example>", f"ouder{n}@fictief.example", "Onderwerp", f"{n}\n"))
    assert [(a.address, a.body) for a in await arrived()] == [(f"ouder{n}@fictief.example", f"{n}\n") for n in range(2)]


async def test_the_same_message_id_can_be_recognised(way):
    """Delivered twice: the mailbox keeps one, SMTP hands over two with one and the same Message-ID."""
    delivery, arrived = way
    await delivery.deliver(LETTER)
    await delivery.deliver(LETTER)
    assert {a.message_id for a in await arrived()} == {LETTER.message_id}


async def test_both_keep_the_protocol(way):
    """The type checker and the tests agree on what a delivery is."""
    delivery: Delivery = way[0]
    assert callable(delivery.deliver)


async def refusal(server: MailServer) -> DeliveryFailed:
    """What delivering to this server raises."""
    with pytest.raises(DeliveryFailed) as caught:
        await SmtpDelivery(f"smtp://127.0.0.1:{server.port}", "x@leerbudget.example").deliver(LETTER)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "to_recipient", "permanent"),
    [
        ("550 no such user", True, True),
        ("450 mailbox busy", True, False),
        ("552 too large", False, True),
        ("451 try later", False, False),
        ("421 closing", False, False),
    ],
)
async def test_a_refusal_says_whether_trying_again_helps(answer, to_recipient, permanent):
    """5xx is for good, 4xx is for now (RFC 5321 4.2.1)."""
    async with mail_server() as server:
        if to_recipient:
            server.answer_to_recipient = answer
        else:
            server.answer = answer
        assert (await refusal(server)).data["permanent"] is permanent
        assert server.letters == []


async def test_a_server_that_is_not_there_is_tried_later():
    """Connection refused is no reason to give up."""
    async with mail_server() as server:
        pass
    assert (await refusal(server)).data["permanent"] is False


async def test_a_server_that_says_nothing_is_tried_later(monkeypatch):
    """A time-out ends the wait."""
    monkeypatch.setattr("leerbudget.notifications.delivery._TIMEOUT_SECONDS", 0.3)
    async with mail_server() as server:
        server.hang = True
        assert (await refusal(server)).data["permanent"] is False


async def test_a_header_cannot_be_smuggled_in():
    """An address with a line end is refused before anything is sent."""
    async with mail_server() as server:
        letter = Letter("<1@x>", "a@b.nl\nBcc: c@d.nl", "Onderwerp", "tekst")
        with pytest.raises(DeliveryFailed):
            await SmtpDelivery(f"smtp://127.0.0.1:{server.port}", "x@y.nl").deliver(letter)
        assert server.letters == []


def test_what_a_mail_url_means():
    """Ports, TLS, login and sender; a password never goes over an open line."""
    plain = SmtpDelivery("smtp://mail.example", "a@b.nl")
    assert (plain.host, plain.port, plain.tls, plain.starttls, plain.sender) == (
        "mail.example",
        25,
        False,
        None,
        "a@b.nl",
    )
    login = SmtpDelivery("smtp://u%40x:p%2Fw@mail.example:587?from=c@d.nl", "a@b.nl")
    assert (login.username, login.password, login.port, login.starttls) == ("u@x", "p/w", 587, True)
    assert login.sender == "c@d.nl"
    tls = SmtpDelivery("smtps://mail.example", "a@b.nl")
    assert (tls.port, tls.tls) == (465, True)
    assert SmtpDelivery("smtp://mail.example?starttls=required", "a@b.nl").starttls is True
    assert isinstance(delivery_for(None, "http://x"), MailboxDelivery)
    assert isinstance(delivery_for("smtp://x", "http://x"), SmtpDelivery)
