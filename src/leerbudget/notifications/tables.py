"""Columns and named constraints of the outbox and of the local mailbox."""

from piccolo.columns import Integer, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.foundation.columns import document, key, moment, text
from leerbudget.foundation.database import DB


class OutboxMessage(Table, db=DB, tablename="outbox_message"):
    """A notice to send; written in the transaction of its cause, sent later by the worker (I8).

    After `useless_after` (a login link that has expired) it is no longer sent. `context` is emptied once the
    notice is sent or given up: a login token does not stay behind.
    """

    id = key()
    kind = text(60)
    business_ref = text(120)
    address = text(254)
    context = document()
    created_at = moment()
    send_after = moment()
    useless_after = moment(optional=True)
    claimed_until = moment(optional=True)
    sent_at = moment(optional=True)
    given_up_at = moment(optional=True)
    attempts = Integer(default=0, null=False)
    last_error = text(500, optional=True)

    every_notice_once = Unique([kind, business_ref, address])
    attempts_not_negative = Check("attempts >= 0")
    sent_or_given_up = Check("sent_at IS NULL OR given_up_at IS NULL")


class MailboxMessage(Table, db=DB, tablename="mailbox_message"):
    """A mail delivered to the local mailbox page instead of to SMTP (demonstration only)."""

    id = key()
    message_id = text(200)
    address = text(254, index=True)
    subject = text(200)
    body = Text(default=None, null=False)
    delivered_at = moment()

    every_message_once = Unique([message_id])
