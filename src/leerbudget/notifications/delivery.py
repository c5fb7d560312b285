"""Getting a letter to its address: by SMTP, or into the local mailbox of the demonstration.

Once, as far as SMTP allows. A letter that the server accepted is marked sent and never offered again.
The window that remains: the server accepts the letter, and the worker dies, freezes or loses the answer
before it is marked. Then that one letter is offered again when the lease has ended, five minutes later,
under the same Message-ID, by which mail servers and readers recognise the duplicate. The local
mailbox has no such window: it refuses a Message-ID that it has.
"""

from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from leerbudget.foundation import clock
from leerbudget.notifications import actions
from leerbudget.notifications.errors import DeliveryFailed
from leerbudget.notifications.rules import Letter

_TIMEOUT_SECONDS = 10.0


class Delivery(Protocol):
    """A way to get a letter to its address."""

    async def deliver(self, letter: Letter) -> None:
        """Hand the letter over; when this returns, somebody else has taken responsibility for it.

        Raises:
            DeliveryFailed: it was not accepted; `permanent` says whether trying again is of use.
        """


class MailboxDelivery:
    """Lays letters in the local mailbox; for the demonstration and tests."""

    async def deliver(self, letter: Letter) -> None:
        """Lay the letter in the mailbox."""
        await actions.put_in_mailbox(letter)


class SmtpDelivery:
    """Hands letters to a mail server.

    Args:
        url: `smtp://` uses STARTTLS when the server offers it, `smtps://` speaks TLS from the start. Login
            name and password may stand in the URL, as may `?from=address` and `?starttls=required`.
        sender: the address that letters come from when the URL names none.
    """

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        self.host = parts.hostname or "localhost"
        self.tls = parts.scheme == "smtps"
        self.port = parts.port or (465 if self.tls else 25)
        self.username = unquote(parts.username) if parts.username else None
        self.password = unquote(parts.password) if parts.password else None
        # a password never travels in the clear: with one, STARTTLS is not optional
        self.starttls = True if options.get("starttls") == ["required"] or (self.password and not self.tls) else None
        self.sender = options.get("from", [sender])[0]

    async def deliver(self, letter: Letter) -> None:
        """Hand the letter to the server.

        Raises:
            DeliveryFailed: the server was not there, was too slow, or refused.
        """
        try:
            await aiosmtplib.send(
                self._message(letter),
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                use_tls=self.tls,
                start_tls=None if self.tls else self.starttls,
                timeout=_TIMEOUT_SECONDS,
            )
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as refusal:
            codes = [r.code for r in getattr(refusal, "recipients", [])] or [getattr(refusal, "code", 0)]
            lasting = all(500 <= code < 600 for code in codes) and not isinstance(
                refusal, aiosmtplib.SMTPAuthenticationError
            )
            raise DeliveryFailed(permanent=lasting, reason=str(refusal)) from refusal
        except (aiosmtplib.SMTPException, OSError, ValueError) as failure:
            raise DeliveryFailed(permanent=False, reason=f"{type(failure).__name__}: {failure}") from failure

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = f"leerbudget <{self.sender}>"
        message["To"] = letter.address
        message["Subject"] = letter.subject
        message["Message-ID"] = letter.message_id
        message["Date"] = format_datetime(clock.now())
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        message.set_content(letter.body)
        return message


def delivery_for(smtp_url: str | None, base_url: str) -> Delivery:
    """SMTP when a server is configured, the local mailbox otherwise."""
    if smtp_url is None:
        return MailboxDelivery()
    return SmtpDelivery(smtp_url, sender=f"leerbudget@{urlsplit(base_url).hostname or 'localhost'}")
