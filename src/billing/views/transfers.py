"""What pages and mails say about bank transfers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from src.billing.domain.kinds import NotHad, OrderState
from src.platform.web.forms import Bound


class HowToTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """What its guest needs to pay an order by bank transfer: `left_minor` is still missing. `code`
    is the giro code as SVG, empty where there can be none.
    """

    holder: str
    iban: str
    bic: str
    reference: str
    left_minor: int
    total_minor: int
    currency: str
    due_on: date
    text: str
    code: str


class BesidePrice(msgspec.Struct, frozen=True, kw_only=True):
    """What came by transfer beside what an order that stands waits for: so much is still to go
    back, and so much has.
    """

    left_minor: int = 0
    back_minor: int = 0

    @property
    def in_all_minor(self) -> int:
        return self.left_minor + self.back_minor


class Comeback(msgspec.Struct, frozen=True, kw_only=True):
    """A package that was cancelled as never paid, with so many credits until `ends_at`: what its
    transfer brings back, should it have come after all, and `why` it cannot, None where it can. Of
    the price a voucher paid `voucher_minor`, and has `on_voucher_minor` by now, or gets it back in
    this very moment (`is_on_its_way`). `refunded_minor` went back for its credits before it was
    cancelled.
    """

    credits: int
    ends_at: datetime | None
    voucher_minor: int
    on_voucher_minor: int
    is_on_its_way: bool
    refunded_minor: int
    why: NotHad | None


class TransferPage(msgspec.Struct, frozen=True, kw_only=True):
    """One order's transfer, for the business. `due_at` and `due_on` are None once nothing is waited
    for any more. `holds_places`: others can have what is not paid. Of `total_minor`, the price, a
    voucher pays `voucher_minor`, of which `on_voucher_minor` is back on it. `received_minor` is the
    price's, `noted_minor` all that was noted.
    `may_be_mistaken`: some of it can be taken off. `is_all_cancelled`: nothing of the order stands.
    `comeback`: it was a package, and never paid.
    `ended` says why nothing can be had with what comes now, by somebody's own decision.
    """

    slug: str
    zone: str
    order_id: UUID
    reference: str
    guest_name: str
    guest_email: str
    what: str
    state: str
    currency: str
    total_minor: int
    voucher_minor: int
    on_voucher_minor: int
    received_minor: int
    noted_minor: int
    may_be_mistaken: bool
    is_all_cancelled: bool
    comeback: Comeback | None
    ended: str
    due_on: date | None
    holds_places: bool
    starts_at: datetime | None
    created_at: datetime
    received: Bound[Any]
    later: Bound[Any]

    @property
    def left_minor(self) -> int:
        return max(self.to_transfer_minor - self.received_minor, 0)

    @property
    def to_transfer_minor(self) -> int:
        return self.total_minor - self.voucher_minor

    @property
    def is_in_vain(self) -> bool:
        """Whether nothing can be had with what comes now."""
        if self.comeback is not None and self.comeback.why is None:
            return False
        return self.due_on is None and (self.state == OrderState.CONFIRMED or bool(self.ended))


class MistakePage(msgspec.Struct, frozen=True, kw_only=True):
    """Transfers that may have been noted by mistake, the newest first, as a field's options.
    `is_awaited`: the order waits for the rest of its price. `of_package`: credits that it bought
    were taken off. A voucher paid `voucher_minor` beside them, and has not got it back. Of
    `promised` of them the guest has a mail that it came and goes back.
    """

    slug: str
    order_id: UUID
    reference: str
    guest_email: str
    is_awaited: bool
    of_package: bool
    voucher_minor: int
    currency: str
    transfers: list[tuple[str, str, str]]
    promised: int
    form: Bound[Any]


class TransferBackMail(msgspec.Struct, frozen=True, kw_only=True):
    """To a guest whose transfer is sent back, or has been, in all or in part; every word is in
    their language. `came` is what has come, `back` what of it goes back, and `reason` says why.
    """

    locale: str
    from_name: str
    guest_name: str
    reference: str
    what: str
    back: str
    contact: str
    href: str
    holds_places: bool
    came: str = ""
    reason: str = ""


class TransferMail(msgspec.Struct, frozen=True, kw_only=True):
    """To a guest who is to pay by bank transfer, or was; every word is in the guest's language.

    `amount` is still missing, `due` the last day as words. `is_changed`: the day was moved.
    `came` is what has come of it so far, empty for nothing. `price` says what the amount is worked
    out from, where a code takes or pays a part, and `on_voucher` what is on the voucher again that
    was to. `holds_places`: others
    can have what is not paid. `given_up` by the guest it is not waited for any more, or `released`
    by the business.
    """

    locale: str
    from_name: str
    guest_name: str
    reference: str
    what: str
    amount: str
    due: str
    holder: str
    iban: str
    bic: str
    text: str
    contact: str
    href: str
    is_changed: bool = False
    released: bool = False
    given_up: bool = False
    came: str = ""
    price: str = ""
    on_voucher: str = ""
    holds_places: bool = True
