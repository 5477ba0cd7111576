"""What an order's lines do when their order lives, dies or comes back.

Billing does not know what is sold. Every kind of line is registered by its owner in the
composition root, and billing calls it inside its own transaction, with the order's row locked.
A handler deals with all lines of its kind in the order at once and takes its locks in the order
of "Seats and locks": seats, then sessions, then coupons, then credit lots. The month's counter is
billing's own business and comes after every handler.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from src.billing.models import Order, OrderLine
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


class Undeliverable(NamedTuple):
    """A part of an order that is paid for and cannot be delivered; `part_id` is the kind's own."""

    part_id: UUID
    share_minor: int


class Ended(NamedTuple):
    """Parts of an order that were cancelled in one act; `by` is guest, staff or system. `page`
    is the one below the business's that tells of the act, where there is one. `what` says in words
    whose and which they are. What is no place `said` tells of, in place of all but `what`.
    """

    at: datetime
    parts: int
    by: str
    why: str
    page: str | None = None
    what: str = ""
    said: str = ""


class Moved(NamedTuple):
    """Parts of an order that were moved in one act, by guest or staff: whose they are, `what`, and
    what each `was` and `becomes`, in words. `page` is the one below the business's of the latter.
    """

    at: datetime
    by: str
    why: str
    what: str
    was: str
    becomes: str
    page: str


class DateMoved(NamedTuple):
    """What was sold takes place at another time: when it `was` and `becomes`, in words. `page` is
    the one below the business's that tells of it.
    """

    at: datetime
    why: str
    was: str
    becomes: str
    page: str


class Fate(NamedTuple):
    """What has become of what was sold: how many places to come stand, what was cancelled, what
    moved and what takes place at another time. `pages` tell more: the words of each, and its path
    below the business's.
    """

    standing: int
    ended: Sequence[Ended]
    moved: Sequence[Moved] = ()
    dates_moved: Sequence[DateMoved] = ()
    pages: Sequence[tuple[str, str]] = ()


class LineKind(Protocol):
    """The life of one kind of line. `holds_places`: while it waits to be paid, nobody else can have
    what it is for.
    """

    holds_places: bool = True

    async def list_undeliverable(self, uow: UnitOfWork, order: Order) -> Sequence[Undeliverable]:
        """Parts of a paid hold that cannot be delivered any more, normally none.

        Asked before anything is claimed, so that their refund is written before the claims.
        """
        ...

    async def is_being_cancelled(self, uow: UnitOfWork, order: Order) -> bool:
        """Whether a part of what it holds is called off, or being cancelled, be it only asked for.

        Whoever asks for a cancelling locks the orders that it reaches and that can still be paid
        before it is written, so with the order's row locked the answer stays what it is.
        """
        ...

    async def confirm(
        self, uow: UnitOfWork, order: Order, undeliverable: Sequence[Undeliverable], now: datetime
    ) -> None:
        """The hold is paid: what was held is now sold, and what was named as undeliverable ends.

        What becomes undeliverable after it was asked is sold, and its owner ends it as any other.
        """
        ...

    async def release(self, uow: UnitOfWork, order: Order, why: str, now: datetime) -> None:
        """The hold dies: what was held is free again."""
        ...

    def waived_minor(self) -> ColumnElement[int]:
        """Of the price of the `orders` row at hand, what its guest need not pay any more because
        the business does not deliver it: SQL, 0 or more minor units, the same each time, for
        `owed_minor` keeps it.
        """
        ...

    def stands(self) -> ColumnElement[bool]:
        """Whether any part of this kind of the `orders` row at hand is not cancelled; one that is
        over stands too: SQL.
        """
        ...

    async def fate(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Fate:
        """What became of the order's lines of this kind, in the reader's language and with times
        in the `zone`; holds that died are not told of.
        """
        ...

    async def starts_at(self, uow: UnitOfWork, order: Order) -> datetime | None:
        """When the first of what the order holds or sold begins; None for what does not begin."""
        return None

    def guest_path(self, settings: Settings, slug: str, order: Order) -> str:
        """The order's page for its guest; the business's own where it has none."""
        return f"/b/{slug}"

    async def list_sold_now(
        self, uow: UnitOfWork, order_ids: Collection[UUID], tenant: TenantSnapshot
    ) -> Mapping[UUID, Sequence[str]]:
        """What the lines of this kind of each order are for by now, each once, as the business
        writes it; orders are left out whose lines say so themselves.
        """
        ...

    async def list_sold_by_tier(
        self, uow: UnitOfWork, order_id: UUID, tenant: TenantSnapshot
    ) -> Mapping[str, Sequence[str]]:
        """The same of one order, by what the price of its lines is called."""
        return {}

    async def names(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Sequence[str]:
        """What the order's lines of this kind are about, each once, as it is by now or was when it
        ended, in the current language and with times in the `zone`.
        """
        ...

    async def note_paid(self, uow: UnitOfWork, order: Order, now: datetime) -> None:
        """The business took what a confirmed order owed on site. Most kinds are delivered anyway;
        whatever this locks comes after the order and nothing may follow it.
        """
        return

    async def note_handed_back(self, uow: UnitOfWork, subject_id: UUID, now: datetime) -> None:
        """The business has given back by hand what an open item about this subject asked for; most
        subjects are none of the kind's own.
        """
        ...

    async def reacquire(self, uow: UnitOfWork, order: Order, now: datetime) -> bool:
        """The hold had ended, then money came: claims all of it again at the quoted price.

        Returns False when any part is gone, or violates a unique constraint where the guest has it
        by another order; whatever it wrote is then rolled back by the caller.
        """
        ...


_kinds: dict[str, LineKind] = {}


def register_line_kind(kind: str, handler: LineKind) -> None:
    """From now on lines of `kind` behave as `handler` says."""
    _kinds[kind] = handler


def line_kind(kind: str) -> LineKind:
    """Raises: KeyError for a kind that nobody registered."""
    return _kinds[kind]


def line_kinds() -> Sequence[LineKind]:
    """All handlers that are registered, one that serves several kinds once."""
    return list(dict.fromkeys(_kinds.values()))


async def handlers_of(uow: UnitOfWork, order: Order) -> Sequence[LineKind]:
    """The handlers of the order's lines, in the same sequence for every order.

    One that serves several of its kinds is there once, since it deals with all lines at a time.
    """
    found = await uow.session.scalars(
        select(OrderLine.kind)
        .where(OrderLine.tenant_id == uow.tenant, OrderLine.order_id == order.id)
        .distinct()
    )
    return list(dict.fromkeys(line_kind(kind) for kind in sorted(found)))


async def first_start_of(uow: UnitOfWork, order: Order) -> datetime | None:
    """When the first of all that the order is for begins; None where nothing of it does."""
    starts = [await kind.starts_at(uow, order) for kind in await handlers_of(uow, order)]
    return min((at for at in starts if at is not None), default=None)


async def list_sold_now(
    uow: UnitOfWork, order_ids: Collection[UUID], tenant: TenantSnapshot
) -> dict[UUID, list[str]]:
    """What orders are for by now where their lines, which say what was bought, may not tell it: in
    one query for each kind of thing.
    """
    found: dict[UUID, list[str]] = {}
    if order_ids:
        for kind in line_kinds():
            for order_id, things in (await kind.list_sold_now(uow, order_ids, tenant)).items():
                found.setdefault(order_id, []).extend(things)
    return found


async def list_sold_by_tier(
    uow: UnitOfWork, order_id: UUID, tenant: TenantSnapshot
) -> dict[str, list[str]]:
    """The same of one order, by what the price of its lines is called: perhaps those of one kind
    of price alone have moved.
    """
    found: dict[str, list[str]] = {}
    for kind in line_kinds():
        for tier, things in (await kind.list_sold_by_tier(uow, order_id, tenant)).items():
            found.setdefault(tier, []).extend(things)
    return found
