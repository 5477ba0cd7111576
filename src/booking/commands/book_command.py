"""A guest's wish, as pages, the API and staff put it."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec

from src.booking.domain.agreements import Signing
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.drop_in import PayWay
from src.booking.domain.quotes import SubjectKind
from src.booking.domain.staff_rules import StaffPays
from src.tenants.domain.naming import on_one_line


class BookCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One guest's wish. `party` has a name, perhaps empty, for everyone who comes; `tiers` the key
    of everyone's price, in the same order, or nothing where all pay the full one. `people` has
    everyone's own answers in that order, `answers` the ones for the booking.

    `coupon` is the code of one, or of a voucher. `quoted_minor` is what the guest was shown that is
    to pay, `quoted_off_minor` what the code takes off it, and `quoted_dates` is the `dates_key` of
    the quote; None when nobody was shown one.
    `way` is how they want to pay, None: the first way that is open. `customer_id` is who books:
    whoever sets it has seen proof of that, or is staff. With `pays` it is staff who book for them,
    and say how it is paid. With the way `credit` the credits of their own lot `credit_lot_id` pay.
    With `slot` it is an appointment, and `subject_id` its service: the time becomes a session.
    `signing` is their agreeing to what the subject asks for.
    `offer_id` is a waiting list's offer that it takes up. With `completes` it is the session that
    this booking of a series was sold without, for those of its party who lack it.
    """

    kind: SubjectKind
    subject_id: UUID
    party: tuple[str, ...]
    guest_name: str
    guest_email: str
    form_token: str
    guest_phone: str = ""
    answers: dict[str, str] = msgspec.field(default_factory=dict)
    people: tuple[dict[str, str], ...] = ()
    consents: dict[str, Any] = msgspec.field(default_factory=dict)
    note: str = ""
    coupon: str = ""
    way: PayWay | None = None
    tiers: tuple[str, ...] = ()
    quoted_minor: int | None = None
    quoted_off_minor: int | None = None
    quoted_dates: str | None = None
    source: str = "hub"
    locale: str = "en"
    customer_id: UUID | None = None
    credit_lot_id: UUID | None = None
    pays: StaffPays | None = None
    offer_id: UUID | None = None
    completes: UUID | None = None
    slot: SlotWish | None = None
    signing: Signing | None = None

    @property
    def proved_id(self) -> UUID | None:
        """The customer who has shown that it is them; staff show nothing of the sort."""
        return self.customer_id if self.pays is None else None

    @property
    def is_by_credit(self) -> bool:
        return self.way is PayWay.CREDIT or self.pays == "credit"

    def tidied(self) -> "BookCommand":
        """Names on one line: they stand in headers of mails and in calendar files. One of which
        nothing can be seen is none.
        """
        party = tuple(on_one_line(name) for name in self.party)
        return msgspec.structs.replace(self, guest_name=on_one_line(self.guest_name), party=party)

    def fingerprint(self) -> str:
        """Equal for a repeated submit, different when anything the guest chose has changed.

        The language they read and the way they came, an offer too, are none of it. Nor is, of a
        booking that completes another, who they are: that is the other's, and may change with it.
        """
        cmd = self.tidied()
        if cmd.completes is not None:
            cmd = msgspec.structs.replace(cmd, guest_name="", guest_phone="", customer_id=None)
        shown = ("quoted_minor", "quoted_off_minor", "quoted_dates", "offer_id")
        none: dict[str, Any] = dict.fromkeys(shown)
        said = msgspec.structs.replace(
            cmd, form_token="", consents={}, locale="", source="", signing=None, **none
        )
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()
