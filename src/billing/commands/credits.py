"""Lots of credits and their ledger: granted, taken, given back.

An entry is the writer's own row and comes first; the lot is what others wait for. Taking is one
guarded UPDATE, after sessions and coupons and before the month's counter, so that the last credit
goes to one whatever two windows do at the same moment.
Source: docs/algorithms/credits.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, func, or_, select, text, update

from src.billing.domain.credits import EntryKind, LotSource, LotState, Scope, end_of_day
from src.billing.domain.lot_users import LotUsers
from src.billing.events import CreditEndSet
from src.billing.models import CreditEntry, CreditLot
from src.billing.queries.lots import no_such_credits, owner_was_erased
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.context import Actor, TenantSnapshot

LOTS = cast(Table, CreditLot.__table__)
ENTRIES = cast(Table, CreditEntry.__table__)

By = Literal["guest", "staff", "system"]

# Who may use them is compared as a set: the row keeps them in no order.
_TAKE = text(
    "UPDATE credit_lots SET balance = balance - :wanted WHERE tenant_id = :tenant_id"
    " AND id = :lot_id AND customer_id = :customer_id AND state = 'active' AND balance >= :wanted"
    " AND (expires_at IS NULL OR expires_at >= :needed_until)"
    " AND (cast(:users AS jsonb) IS NULL OR"
    " (users @> cast(:users AS jsonb) AND users <@ cast(:users AS jsonb))) RETURNING id"
)
_GIVE_BACK = text(
    "UPDATE credit_lots SET balance = balance + :credits WHERE tenant_id = :tenant_id"
    " AND id = :lot_id"
)


class CreditsGone(Conflict):
    """The lot has not that many credits any more, or is over: somebody was faster."""

    code = "credits_gone"

    def __init__(self) -> None:
        super().__init__(
            _("These credits have just been used or have ended. Please choose how to pay again.")
        )


class Author(msgspec.Struct, frozen=True):
    """Who writes into a ledger. `reason` is what staff said."""

    by: By = "system"
    actor_id: UUID | None = None
    name: str = ""
    reason: str = ""

    @classmethod
    def of_staff(cls, actor: Actor, reason: str = "") -> "Author":
        return cls("staff", actor.user_id, actor.name, reason)


SYSTEM = Author()
GUEST = Author("guest")


def entry_row(
    tenant_id: UUID,
    lot_id: UUID,
    kind: EntryKind,
    number: int,
    author: Author,
    now: datetime,
    *,
    seat_id: UUID | None = None,
    order_id: UUID | None = None,
    refund_id: UUID | None = None,
    entry_id: UUID | None = None,
) -> dict[str, Any]:
    """All columns of one line of the ledger."""
    return {
        "tenant_id": tenant_id,
        "id": entry_id or new_id(),
        "lot_id": lot_id,
        "kind": str(kind),
        "credits": number,
        "seat_id": seat_id,
        "order_id": order_id,
        "refund_id": refund_id,
        "by": author.by,
        "actor_id": author.actor_id,
        "actor_name": author.name,
        "reason": author.reason,
        "at": now,
    }


async def activate_lots(
    uow: UnitOfWork, tenant: TenantSnapshot, order_id: UUID, author: Author, now: datetime
) -> list[UUID]:
    """The order is paid: its pending lots, and those given up before, hold what was bought.

    Their time begins now. A second call finds none, and neither does one for a customer who was
    erased: nobody could use them. Returns the ids of those it filled.
    """
    found = await uow.session.scalars(
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.source == str(LotSource.PACKAGE),
            CreditLot.state != str(LotState.ACTIVE),
            ~owner_was_erased(),
        )
        .order_by(CreditLot.id)
        .with_for_update(key_share=True, of=CreditLot)
    )
    lots = found.all()
    for lot in lots:
        lot.state, lot.activated_at = str(LotState.ACTIVE), now
        lot.balance = lot.bought
        set_end(uow, lot, end_of_day(lot.validity_days, now, tenant.zone))
        row = entry_row(
            uow.tenant, lot.id, EntryKind.GRANT, lot.bought, author, now, order_id=order_id
        )
        uow.insert(ENTRIES, [row])
    return [lot.id for lot in lots]


def set_end(uow: UnitOfWork, lot: CreditLot, expires_at: datetime | None) -> None:
    """Gives a locked lot another end, of which its owner is warned in time."""
    lot.expires_at = expires_at
    lot.end_set_at = uow.clock.now() if expires_at is not None else None
    if expires_at is not None:
        uow.record(CreditEndSet(lot_id=lot.id))


async def void_lots(uow: UnitOfWork, order_id: UUID) -> None:
    """The order was never paid: what was bought with it is nothing."""
    await uow.session.execute(
        update(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.state == str(LotState.PENDING),
        )
        .values(state=str(LotState.VOID))
        .execution_options(synchronize_session=False)
    )


async def void_taken_off(uow: UnitOfWork, order_id: UUID) -> bool:
    """The order was never paid, whatever had been noted, and all its credits were taken off since:
    they never were. Their ledgers keep what was written. The lots are locked, and empty. False
    where there are none.
    """
    ended = await uow.session.execute(
        update(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.state == str(LotState.ACTIVE),
        )
        .values(state=str(LotState.VOID), activated_at=None)
        .returning(CreditLot.id)
        .execution_options(synchronize_session=False)
    )
    return bool(ended.all())


async def refill_lots(uow: UnitOfWork, order_id: UUID, author: Author, now: datetime) -> list[UUID]:
    """What `void_taken_off` ended is there again, with all that was bought and the end it had; not
    where that is over, nor what was refunded, nor for a customer who was erased. Returns the ids of
    those it filled.
    """
    found = await uow.session.scalars(
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.source == str(LotSource.PACKAGE),
            CreditLot.state == str(LotState.VOID),
            CreditLot.refunded_minor == 0,
            or_(CreditLot.expires_at.is_(None), CreditLot.expires_at >= now),
            ~owner_was_erased(),
        )
        .order_by(CreditLot.id)
        .with_for_update(key_share=True, of=CreditLot)
    )
    lots = found.all()
    for lot in lots:
        lot.state, lot.balance = str(LotState.ACTIVE), lot.bought
        lot.activated_at = await _first_filled_at(uow, lot)
        set_end(uow, lot, lot.expires_at)
        # It names its order, which nothing does that staff add.
        named = {"order_id": order_id}
        row = entry_row(uow.tenant, lot.id, EntryKind.ADJUST, lot.bought, author, now, **named)
        uow.insert(ENTRIES, [row])
    return [lot.id for lot in lots]


async def _first_filled_at(uow: UnitOfWork, lot: CreditLot) -> datetime | None:
    filled_at: datetime | None = await uow.session.scalar(
        select(func.min(CreditEntry.at)).where(
            CreditEntry.tenant_id == uow.tenant,
            CreditEntry.lot_id == lot.id,
            CreditEntry.kind == str(EntryKind.GRANT),
        )
    )
    return filled_at


def insert_redemptions(
    uow: UnitOfWork,
    lot_id: UUID,
    seat_ids: Sequence[UUID],
    order_id: UUID,
    author: Author,
    now: datetime,
) -> None:
    """Writes that each seat took a credit; `claim_credits` takes them, later in the transaction."""
    uow.insert(
        ENTRIES,
        [
            entry_row(
                uow.tenant,
                lot_id,
                EntryKind.REDEEM,
                -1,
                author,
                now,
                seat_id=seat_id,
                order_id=order_id,
            )
            for seat_id in seat_ids
        ],
    )


async def claim_credits(
    uow: UnitOfWork,
    lot_id: UUID,
    customer_id: UUID,
    wanted: int,
    *,
    needed_until: datetime,
    users: LotUsers | None = None,
) -> None:
    """Takes so many credits of the customer's own lot, valid at `needed_until`, or raises and the
    transaction ends. `users` are those who might use it when that was judged, None where it was
    not: whoever has been named or left out since makes it raise. Raises: CreditsGone.
    """
    values = {
        "tenant_id": uow.tenant,
        "lot_id": lot_id,
        "customer_id": customer_id,
        "wanted": wanted,
        "needed_until": needed_until,
        "users": None if users is None else msgspec.json.encode(users.stored()).decode(),
    }
    if (await uow.session.execute(_TAKE, values)).one_or_none() is None:
        raise CreditsGone


def insert_restorations(
    uow: UnitOfWork,
    seats_by_lot: Mapping[UUID, Sequence[UUID]],
    order_id: UUID | None,
    author: Author,
    now: datetime,
) -> None:
    """Writes that each seat gave its credit back; `give_back_credits` follows, after the sessions.

    A seat gives its credit back once: a second time violates a constraint. The end of what comes
    back is watched again, should nobody have watched an empty lot's.
    """
    for lot_id in seats_by_lot:
        uow.record(CreditEndSet(lot_id=lot_id))
    uow.insert(
        ENTRIES,
        [
            entry_row(
                uow.tenant,
                lot_id,
                EntryKind.RESTORE,
                1,
                author,
                now,
                seat_id=seat_id,
                order_id=order_id,
            )
            for lot_id, seat_ids in seats_by_lot.items()
            for seat_id in seat_ids
        ],
    )


async def give_back_credits(uow: UnitOfWork, counts: Mapping[UUID, int]) -> None:
    """So many credits are in each lot again, by id; its end stays as it is."""
    for lot_id in sorted(counts):
        values = {"tenant_id": uow.tenant, "lot_id": lot_id, "credits": counts[lot_id]}
        await uow.session.execute(_GIVE_BACK, values)


async def lock_lot(uow: UnitOfWork, lot_id: UUID) -> CreditLot:
    """The lot as it is now, its row locked after everything else. Raises: NotFound."""
    lot = await uow.session.scalar(
        select(CreditLot)
        .where(CreditLot.tenant_id == uow.tenant, CreditLot.id == lot_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if lot is None:
        raise no_such_credits()
    return lot


async def write_entry(
    uow: UnitOfWork,
    lot: CreditLot,
    kind: EntryKind,
    number: int,
    author: Author,
    **named: UUID | None,
) -> None:
    """Changes the balance of a locked lot, and says so in its ledger. `number` is signed; `named`
    are `refund_id`, and `entry_id` of a form that can be sent twice.
    """
    lot.balance += number
    row = entry_row(uow.tenant, lot.id, kind, number, author, uow.clock.now(), **named)
    uow.insert(ENTRIES, [row])


def scope_columns(scope: Scope) -> dict[str, Any]:
    """What `scope_of` reads again."""
    return {
        "any_service": scope.any_service,
        "service_ids": sorted(str(one) for one in scope.service_ids),
        "tags": sorted(scope.tags),
    }
