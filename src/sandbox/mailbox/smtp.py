"""The SMTP side: takes every mail from anybody on this machine."""

import asyncio
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from src.sandbox.mailbox.faults import Faults
from src.sandbox.mailbox.store import MailStore

LARGEST_MAIL_BYTES = 50_000_000


class Receiver:
    """What aiosmtpd calls for each mail."""

    def __init__(self, store: MailStore, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        recipients = list(envelope.rcpt_tos)
        fault = self._faults.take(recipients)
        if fault.mode == "reject":
            return f"{fault.code} The mailbox was told to refuse this mail"
        if fault.mode == "slow":
            await asyncio.sleep(fault.seconds)
        content: Any = envelope.content
        mail = self._store.add(envelope.mail_from or "", recipients, content)
        if fault.mode == "accept_then_drop":
            if isinstance(server.transport, asyncio.Transport):
                server.transport.abort()
            raise asyncio.CancelledError
        return f"250 Kept as {mail.id}"


async def serve_smtp(
    host: str, port: int, store: MailStore, faults: Faults
) -> asyncio.base_events.Server:
    """Listens from now on; the caller closes it. Raises: OSError when the port is taken."""
    receiver = Receiver(store, faults)
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return SMTP(
            receiver,
            data_size_limit=LARGEST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            hostname="mailbox.seatline.example",
            ident="Seatline mailbox",
            loop=loop,
        )

    return await loop.create_server(connection, host, port)
