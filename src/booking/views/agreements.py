"""What the pages about agreements show, the business's and guests' own."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.agreements import Needed
from src.booking.queries.agreements_waiting import WhoIsAsked
from src.tenants.portal_sections import PortalHead


class AgreementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of a business. `number` is the version that holds, 0 before the first; `is_changed`: what
    is being written differs from it. `signed` counts its signatures, `asked_by` what asks for it.
    """

    id: UUID
    slug: str
    title: str
    active: bool
    number: int
    published_at: datetime | None
    is_changed: bool
    signed: int
    asked_by: int


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version and how many have signed it."""

    number: int
    title: str
    published_at: datetime
    published_by: str
    signed: int


class SignatureRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed which version. `email` is the customer's, or the one that was typed where nobody
    has proved who they are; `reference` is the order's that it was given with, if any.
    """

    id: UUID
    agreement_id: UUID
    title: str
    number: int
    name: str
    email: str
    customer_id: UUID
    customer_name: str
    signed_at: datetime
    how: str
    is_proved: bool
    order_id: UUID | None
    reference: str


class AgreementsView(msgspec.Struct, frozen=True, kw_only=True):
    rows: list[AgreementRow]
    base: str
    zone: ZoneInfo


class AgreementFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `agreement_id` is None for a new one."""

    form: Any
    agreement_id: UUID | None
    title: str
    base: str
    public: str


class AgreementView(msgspec.Struct, frozen=True, kw_only=True):
    """One agreement with who signed it. `text` is the version's that holds, or else the draft's.
    `asked_by` are the things that ask for it, each a name and its page.
    """

    row: AgreementRow
    text: str
    sha256: str
    versions: list[VersionRow]
    asked_by: list[tuple[str, str]]
    signatures: list[SignatureRow]
    signed_total: int
    search: str
    lacking: list[WhoIsAsked]
    lacking_total: int
    base: str
    here: str
    public: str
    zone: ZoneInfo
    previous_href: str | None
    next_href: str | None


class PublishView(msgspec.Struct, frozen=True, kw_only=True):
    """Before a version is published: the text as guests will read it, and what follows. `shown` is
    its hash. `signed` have signed the version before it, and `concerned` have something to come.
    """

    title: str
    text: str
    shown: str
    number: int
    signed: int
    concerned: int
    asks: int
    is_same: bool
    active: bool
    error: str
    here: str
    base: str


class AskedForView(msgspec.Struct, frozen=True, kw_only=True):
    """What asks for an agreement, to be chosen."""

    form: Any
    title: str
    services: list[tuple[str, str]]
    series: list[tuple[str, str]]
    packages: list[tuple[str, str]]
    here: str
    base: str


class AgreementsOfView(msgspec.Struct, frozen=True, kw_only=True):
    """What a service, series or package asks for, to be chosen; each with a word on its state."""

    form: Any
    name: str
    agreements: list[tuple[str, str, str]]
    back: str
    back_label: str
    base: str


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A text as it was published."""

    title: str
    number: int
    newest: int
    text: str
    sha256: str
    published_at: datetime
    published_by: str
    signed: int
    here: str
    base: str
    zone: ZoneInfo


class SignatureView(msgspec.Struct, frozen=True, kw_only=True):
    """One signature to print, with what is known of it as names and values."""

    row: SignatureRow
    text: str
    facts: list[tuple[str, str]]
    published_at: datetime
    business: str
    contact_email: str
    contact_phone: str
    back: str
    back_label: str
    pdf_href: str
    zone: ZoneInfo


class AgreementPageView(msgspec.Struct, frozen=True, kw_only=True):
    """A text at its own address, as it holds now."""

    agreement: Needed
    published_at: datetime
    zone: ZoneInfo
    hub: str


class SigningView(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for the signature of who has the link of a booking."""

    form: Any
    agreements: list[Needed]
    what: str
    action: str
    back: str
    slug: str


class PortalAgreementsView(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's own agreements: what waits, and what they have signed, newest first."""

    head: PortalHead
    form: Any
    waiting: list[Needed]
    rows: list[SignatureRow]
    here: str
    slug: str
    zone: ZoneInfo


class AgreementsWaiting(msgspec.Struct, frozen=True):
    """How many a guest is to sign, on the first of their own pages."""

    count: int
    href: str
