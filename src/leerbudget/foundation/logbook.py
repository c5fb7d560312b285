"""Structured logging: one line per event, JSON in production and readable text elsewhere.

No secret, token or query string reaches a log: values under telling names are masked, and login parts and
query strings are cut out of every address, in our own events as well as in those of libraries.
Configured once, by the entrypoint. Elsewhere: `log = structlog.get_logger(__name__)`.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, TextIO

import structlog
from structlog.types import Processor

from leerbudget.foundation.settings import Environment

MASK = "***"

_TELLING = re.compile(
    r"(?i)passw|secret|token|cookie|authori[sz]ation|api_?key|signature|credential|web_session|dsn|totp"
)
_LOGIN = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@'\"]*@")
_QUERY = re.compile(r"(?i)((?:https?://|/)[^\s?'\"]*)\?[^\s'\"]+")
_MAIL = re.compile(r"[\w.+-]+@(?=[\w-]+\.)")
_STRIPE = re.compile(r"\b(?:sk|rk|whsec)_[A-Za-z0-9_]+")

_QUIET = (
    "asyncio",
    "httpx",
    "httpcore",
    "stripe",
    "litestar",
    "uvicorn.error",
    "aiosmtplib",
    "piccolo",
    "black",
    "blib2to3",
)


def configure_logging(environment: Environment, *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send every event, ours and the libraries', to one stream (standard error) in one shape.

    A later call replaces an earlier one. Libraries are heard from WARNING up; the access log of the
    web server is off, because it holds addresses with their query strings.
    """
    ours = [*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    structlog.configure(
        processors=ours,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter(_rendering(environment)))
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line tells of them
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("leerbudget").setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # plain text: other renderers add local variables, and so secrets
    ]


def _rendering(environment: Environment) -> Processor:
    if environment == "production":
        return structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """One line per event, masked. Ours go straight to the rendering: every request writes one.

    structlog copies each record for other handlers that might follow; there is one.
    """

    def __init__(self, rendering: Processor) -> None:
        super().__init__(foreign_pre_chain=_shared(), processors=[self.remove_processors_meta, masked, rendering])
        self._rendering = rendering

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, dict):  # by wrap_for_formatter: it went through `_shared` before
            return str(self._rendering(None, "", masked(None, "", record.msg)))
        return super().format(record)


def masked(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ARG001
    """The event without secrets; a structlog processor."""
    return {name: _masked_value(name, value) for name, value in event.items()}


@lru_cache(maxsize=1000)
def _tells(name: str) -> bool:
    return _TELLING.search(name) is not None


def _masked_value(name: str, value: Any) -> Any:
    if _tells(name):
        return MASK
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, dict):
        return {inner: _masked_value(str(inner), part) for inner, part in value.items()}
    if isinstance(value, list | tuple):
        return [_masked_value("", part) for part in value]
    if isinstance(value, int | float | None):
        return value
    return scrubbed(str(value))


def scrubbed(text: str) -> str:
    """The text without logins and query strings in addresses, Stripe keys and the name part of mail addresses."""
    if "@" in text:
        text = _MAIL.sub(f"{MASK}@", _LOGIN.sub(rf"\1{MASK}@", text))
    if "?" in text:
        text = _QUERY.sub(rf"\1?{MASK}", text)
    return _STRIPE.sub(MASK, text) if "_" in text else text
