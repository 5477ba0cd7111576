"""Ways in which a mail server lets its senders down, switched on by tests."""

from collections.abc import Iterable
from typing import Literal

import msgspec

Mode = Literal["ok", "reject", "accept_then_drop", "slow"]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to the mails that come.

    `reject`: refused with `code` (4xx: try later; 5xx: never). `accept_then_drop`: kept, but the
    connection ends before the sender hears so, which makes a careless one send it twice.
    `slow`: kept and acknowledged after `seconds`.
    `times` ends the fault after so many mails; `recipient` spares everybody else's.
    """

    mode: Mode = "ok"
    code: int = 451
    seconds: float = 5.0
    times: int | None = None
    recipient: str | None = None

    def __post_init__(self) -> None:
        if not 400 <= self.code <= 599:
            raise ValueError("code must be an SMTP refusal, 400 to 599")
        if not 0 <= self.seconds <= 600:
            raise ValueError("seconds must be from 0 to 600")


class Faults:
    """The fault that is switched on now."""

    def __init__(self) -> None:
        self.current = Fault()

    def take(self, recipients: Iterable[str]) -> Fault:
        """The fault that this mail meets, which counts as one of its `times`."""
        fault = self.current
        if fault.recipient is not None and fault.recipient not in recipients:
            return Fault()
        if fault.times is not None:
            left = fault.times - 1
            self.current = msgspec.structs.replace(fault, times=left) if left > 0 else Fault()
        return fault
