"""Mail: letters in plain text, by a mail server, or as files where there is none."""

import asyncio
import hashlib
import os
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, NamedTuple

import aiosmtplib

PATIENCE_SECONDS = 30.0
_BARE = re.compile(r"[^\s,;:<>@\x00-\x20]+@[^\s,;:<>@\x00-\x20]+")


class Letter(NamedTuple):
    """What one person is to read. `to` is one bare address."""

    to: str
    subject: str
    text: str


class Undeliverable(Exception):
    """The letter will never go out as it is. Its words hold no address."""


class Postponed(Exception):
    """It may go out later: the server is away, busy, or set up wrongly."""


Post = Callable[[EmailMessage], Awaitable[None]]


def message_id(name: str, sender: str) -> str:
    """The same for the same name, so that a letter which is sent twice is seen as one."""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    return f"<{hashlib.sha256(name.encode()).hexdigest()[:32]}@{domain}>"


def compose(letter: Letter, *, sender: str, name: str, now: datetime) -> EmailMessage:
    """The message. Raises `Undeliverable` where a header would hold more than it should.

    name: what the Message-ID is made of.
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = _sender(sender)
        message["To"] = _bare(letter.to)
        message["Subject"] = letter.subject
    except (ValueError, HeaderParseError, IndexError) as fault:  # a line break, or two addresses
        raise Undeliverable("A header of the letter is not allowed.") from fault
    message["Date"] = now
    message["Message-ID"] = message_id(name, sender)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    return message


def _sender(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(display_name=name, addr_spec=address)


def _bare(address: str) -> Address:
    if not _BARE.fullmatch(address):
        raise ValueError("not one bare address")
    return Address(addr_spec=address)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Hands messages to a mail server, each over a connection of its own."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None  # another one, for tests

    async def __call__(self, message: EmailMessage) -> None:
        """Raises `Undeliverable` (5xx to the letter) or `Postponed` (4xx, or no connection)."""
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.security == "tls",
                start_tls=self.security == "starttls",
                tls_context=self.tls,
                timeout=PATIENCE_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            code = _code(fault)
            # The server's own words may repeat the address, so they are not passed on.
            if code is not None and code >= 500:
                raise Undeliverable(f"The mail server refused the letter ({code}).") from fault
            said = f"{type(fault).__name__} {code or ''}".strip()
            raise Postponed(f"The mail server did not take the letter ({said}).") from fault


def _code(fault: Exception) -> int | None:
    """What the server said to this letter; None where it was not about the letter."""
    match fault:
        case aiosmtplib.SMTPRecipientsRefused():
            return int(fault.recipients[0].code)
        case aiosmtplib.SMTPSenderRefused() | aiosmtplib.SMTPDataError():
            return int(fault.code)
        case aiosmtplib.SMTPRecipientRefused():
            return int(fault.code)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class MailFolder:
    """Writes each message as a file that mail programs open, for development."""

    folder: Path

    async def __call__(self, message: EmailMessage) -> None:
        """Raises `Postponed` where the folder cannot be written."""
        try:
            await asyncio.to_thread(self._write, message)
        except OSError as fault:
            raise Postponed(f"The mail folder cannot be written ({fault.strerror}).") from fault

    def _write(self, message: EmailMessage) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()[:32]
        unfinished = self.folder / f".{name}.part"
        with open(unfinished, "wb", opener=_for_us_alone) as file:
            file.write(message.as_bytes())
        unfinished.replace(self.folder / f"{name}.eml")  # whole, or not there


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
