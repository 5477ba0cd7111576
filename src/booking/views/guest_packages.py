"""What a guest sees of packages: the offer, the form, what they bought, and what they own."""

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.billing.domain.schedules import Part
from src.billing.views.cards import CardAttempt, CardChoice
from src.billing.views.credits import EndChange
from src.billing.views.parts import PartsView
from src.billing.views.receipts import TaxSum
from src.billing.views.transfers import BesidePrice, HowToTransfer
from src.booking.domain.agreements import Needed
from src.booking.views.guest import PriceLine
from src.booking.views.worksheets import WorksheetsWaiting
from src.platform.i18n import _
from src.tenants.views.portal import PortalGuest


class WorksFor(msgspec.Struct, frozen=True, kw_only=True):
    """What credits can be used for: everything, or services by name and whatever has a tag;
    `fits_nothing`: they have tags only, and nothing on offer has any of them.
    """

    anything: bool
    services: list[tuple[str, str]]
    tags: list[str]
    fits_nothing: bool

    @property
    def quoted_tags(self) -> str:
        return ", ".join(_("“%(name)s”", name=tag) for tag in self.tags)


class PackageCard(msgspec.Struct, frozen=True, kw_only=True):
    """One package as it is offered. `each_minor` is what a session costs with it, and
    `saving_minor` what all of it saves against single ones, 0 where it saves nothing; `is_up_to`:
    they cost differently. `until_on` is its last day if it is bought today, None for one that never
    ends. `reason` says why it cannot be bought.
    """

    id: UUID
    name: str
    description: str
    credits: int
    price_minor: int
    each_minor: int
    single_minor: int
    saving_minor: int
    is_up_to: bool
    validity_days: int
    until_on: date | None
    works_for: WorksFor
    on_site_only: bool
    href: str
    reason: str | None


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a lot's history, as its owner reads it: what happened, for which date, and by how
    many the credits changed. `starts_at` is None where it was about no date;
    `exchanged_for` is the start of the date that its place is for by now. Where the `end` was
    moved, no credits changed.
    """

    at: datetime
    what: str
    credits: int
    name: str
    starts_at: datetime | None
    exchanged_for: datetime | None
    reason: str
    end: EndChange | None = None


class OwnCredits(msgspec.Struct, frozen=True, kw_only=True):
    """A lot of one's own. `given` is what it began with and what was added, also where some were
    taken off since; `state` is one of `LotState`. `href` leads to the page of its purchase, or
    where it `is_for_place`, given for one that ended, of the booking; empty where there is neither.
    `users` says who may use it, and `users_href` leads to where that is chosen. `is_taken_off`:
    staff or a bank took all of it.
    """

    id: UUID
    name: str
    left: int
    given: int
    state: str
    expires_at: datetime | None
    works_for: WorksFor
    uses: list[Use]
    href: str
    is_for_place: bool
    users: str
    users_href: str
    is_taken_off: bool


class OwnLots(msgspec.Struct, frozen=True, kw_only=True):
    """All of one's own, those that can be used or are waited for first."""

    current: list[OwnCredits]
    past: list[OwnCredits]
    zone: ZoneInfo
    packages_href: str
    sells_packages: bool


class PackagesView(msgspec.Struct, frozen=True, kw_only=True):
    """The page of packages. `own` and `guest` are there for who is signed in; a page for everybody
    has neither.
    """

    cards: list[PackageCard]
    currency: str
    zone: ZoneInfo
    path: str
    hub_href: str
    url: str
    image: str
    contact_email: str
    contact_phone: str
    guest: PortalGuest | None = None
    own: OwnLots | None = None
    is_embedded: bool = False


class OfferedParts(msgspec.Struct, frozen=True, kw_only=True):
    """The days and amounts of a price that may be paid in parts, the first today. `every` is such
    as "every month", `words` what is agreed to, and `key` stands for all of it. `is_chosen`: its
    guest wants that.
    """

    parts: list[Part]
    every: str
    words: str
    key: str
    is_chosen: bool

    @property
    def first_minor(self) -> int:
        return self.parts[0].minor


class PackageFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The form that buys one. `lines` work out `total_minor`, which is left to pay, with
    `code_off_minor` taken off by a code; `told` is good news about what was sent. `code_words` are
    those of the code in `lines`, and `exchanged` says which other one it replaced. `way` is the
    chosen one of `ways`, which are those to choose among, and `mode` how it will be paid then.
    `transfer_until_on` is the last day for a bank transfer, where that is one of them. `cards` are
    those of who is signed in, `pays_with` the key of the one that is to pay; by `keep_words` they
    agree to keep another one. `agreements` are to be signed with it. `in_parts` are the parts that
    it may be paid in, None where it may not.
    """

    card: PackageCard
    form: Any
    form_token: str
    action: str
    sign_in_href: str
    currency: str
    zone: ZoneInfo
    terms: str
    terms_key: str
    lines: list[PriceLine]
    total_minor: int
    mode: str
    ways: list[str]
    transfer_until_on: date | None
    takes_codes: bool
    packages_href: str
    contact_email: str
    contact_phone: str
    guest: PortalGuest | None
    agreements: list[Needed]
    in_parts: "OfferedParts | None" = None
    code_off_minor: int = 0
    told: str = ""
    code_words: str = ""
    exchanged: str = ""
    cards: list[CardChoice] = []
    pays_with: str = ""
    keep_words: str = ""


class PurchaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One bought package on its own page.

    `stage`: held, transfer (it is waited for, and `transfer` says how to make it), processing,
    over, bought, waiting (to be paid on site, until `waits_until_at`), lapsed, let_go (given up
    while it waited), called_off (by the business while it waited), expired, given_up, released (the
    business waits no longer), not_payable, too_late (money came that nothing was bought with).
    `credits` are those that were bought, `granted` the same with those that staff added, `left`
    what is left of these by now; `gone` says where they went of which nothing is left: used,
    taken_off, rolled_over, or parted (used in part).
    `voucher_minor` is paid by a voucher, `to_pay_minor` the rest. `to_voucher_minor` is on that
    voucher again, `as_voucher_minor` was given back as a new one; `refunded_minor` went back as
    money, of which `returning_minor` is on its way. `taken_back_minor` is with the guest's bank
    after a dispute that was lost. `to_hand_back_minor` is what the business still gives back
    itself, `beside` what came by transfer though nothing waited for it. `in_parts` are the parts of
    the price, and `pays_parts`: its guest has just paid some, as far as we know. `attempt` tells
    of the card that it was to be paid with, and `cards` which there are to choose from, for its
    buyer alone.
    """

    stage: str
    reference: str
    name: str
    guest_name: str
    guest_email: str
    credits: int
    granted: int
    left: int
    gone: str
    state: str
    expires_at: datetime | None
    validity_days: int
    works_for: WorksFor
    bought_at: datetime
    coupon: str
    discount_minor: int
    total_minor: int
    taxes: list[TaxSum]
    voucher_minor: int
    to_pay_minor: int
    paid_minor: int
    owed_minor: int
    refunded_minor: int
    returning_minor: int
    to_voucher_minor: int
    as_voucher_minor: int
    taken_back_minor: int
    to_hand_back_minor: int
    beside: BesidePrice
    payment_mode: str
    money_back: str
    hold_until_at: datetime | None
    waits_until_at: datetime | None
    currency: str
    zone: ZoneInfo
    path: str
    hub_href: str
    packages_href: str
    me_href: str
    contact_email: str
    contact_phone: str
    looks_again: bool
    transfer: HowToTransfer | None
    in_parts: PartsView | None = None
    pays_parts: bool = False
    attempt: CardAttempt | None = None
    cards: list[CardChoice] = []
    worksheets: WorksheetsWaiting | None = None

    @property
    def has_voucher_back(self) -> bool:
        """Whether a voucher that was to pay a part is whole again, as nothing was bought."""
        ended = ("expired", "given_up", "released", "not_payable", "too_late")
        return self.voucher_minor > 0 and self.stage in ended

    @property
    def may_be_used(self) -> bool:
        """Whether it has credits to use, or will have them once it is paid."""
        if self.stage == "bought":
            return self.state == "active"
        return self.stage in ("held", "transfer", "processing", "waiting")

    @property
    def is_more_than_price(self) -> bool:
        """Whether what was paid is not the price: then both are told."""
        return self.paid_minor > self.total_minor or self.beside.in_all_minor > 0

    @property
    def has_price_apart(self) -> bool:
        """Whether the price is told beside what came, be that more or less."""
        came_in_part = 0 < self.paid_minor < self.total_minor and not self.owed_minor
        return self.is_more_than_price or came_in_part

    @property
    def is_waiting(self) -> bool:
        """Whether the page may change by itself in a moment."""
        return self.stage == "processing"
