"""What staff do with credits that a customer owns; each act has a reason, is in the audit log and
is told to the customer.

Every form carries a token that becomes the ledger's entry, or the new lot, so that sending it twice
does it once. Source: docs/algorithms/credits.md.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.credits import Author, lock_lot, set_end, write_entry
from src.billing.commands.new_lots import NewLot, insert_lots
from src.billing.domain.credit_acts import (
    LONGEST_REASON,
    CreditAct,
    end_error,
    end_of,
    is_later,
    may_change,
    number_error,
)
from src.billing.domain.credits import EntryKind, LotSource, LotState, Scope, lot_state
from src.billing.domain.lot_users import read_users
from src.billing.events import CreditEndSet, CreditsChanged
from src.billing.models import CreditEntry, CreditLot
from src.billing.queries.lots import lot_facts, no_such_credits, scope_of
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now
from src.tenants.models import Customer

SUBJECT = "credit_lot"
CREDITS_CHANGED = "credits_changed"


class ChangeNumber(msgspec.Struct, frozen=True, kw_only=True):
    """So many credits more, or fewer where it is below nothing. `seen` is what the page said is
    left; None where nobody was shown a page.
    """

    lot_id: UUID
    number: int
    reason: str
    token: UUID
    seen: int | None = None


class GiveCredits(msgspec.Struct, frozen=True, kw_only=True):
    """Credits for nothing, for a customer; `ends_on` None never ends. `token` is the new lot."""

    customer_id: UUID
    name: str
    number: int
    scope: Scope
    ends_on: date | None
    reason: str
    token: UUID
    package_id: UUID | None = None


async def give_credits(uow: UnitOfWork, ctx: RequestContext, cmd: GiveCredits) -> UUID:
    """Returns the lot. Raises: NotFound for a customer who is not there; PlanLimitReached;
    InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.PACKAGES)
    customer_id = await keep_customer(uow, cmd.customer_id)
    if await uow.session.get(CreditLot, (uow.tenant, cmd.token)) is not None:
        return cmd.token
    _check_given(uow, ctx, cmd)
    now = uow.clock.now()
    lot = NewLot(
        lot_id=cmd.token,
        customer_id=customer_id,
        source=LotSource.GOODWILL,
        name=cmd.name.strip(),
        credits=cmd.number,
        scope=cmd.scope,
        currency=ctx.here.currency,
        package_id=cmd.package_id,
        expires_at=None if cmd.ends_on is None else end_of(cmd.ends_on, ctx.here.zone),
    )
    insert_lots(uow, [lot], Author.of_staff(ctx.actor, cmd.reason.strip()), now)
    detail = {"name": lot.name, "credits": cmd.number}
    await audit(uow, ctx, "credits.given", SUBJECT, cmd.token, **detail)
    tell(uow, cmd.token, CreditAct.GIVEN, cmd.token, cmd.reason, number=cmd.number)
    return cmd.token


async def add_credits(uow: UnitOfWork, ctx: RequestContext, cmd: ChangeNumber) -> None:
    """More of them, worth nothing as money. What was refunded is not brought to life again.

    Raises: NotFound, Conflict, InvalidInput.
    """
    fields = {"number": number_error(cmd.number), "reason": reason_error(cmd.reason)}
    refuse_fields(fields)
    lot = await _lock_changeable(uow, cmd.lot_id)
    if await _is_done(uow, cmd.token):
        return
    if lot_state(lot_facts(lot), uow.clock.now()) is LotState.REFUNDED:
        raise Conflict(_("These credits were refunded. Give the customer new ones instead."))
    refuse_unseen(lot, cmd.seen)
    _refuse_ended(uow, lot)
    author = Author.of_staff(ctx.actor, cmd.reason.strip())
    await write_entry(uow, lot, EntryKind.ADJUST, cmd.number, author, entry_id=cmd.token)
    if lot.expires_at is not None:
        uow.record(CreditEndSet(lot_id=lot.id))
    await audit(uow, ctx, "credits.added", SUBJECT, lot.id, name=lot.name, credits=cmd.number)
    tell(uow, lot.id, CreditAct.ADDED, cmd.token, cmd.reason, number=cmd.number)


async def remove_credits(uow: UnitOfWork, ctx: RequestContext, cmd: ChangeNumber) -> None:
    """Fewer of them, never more than are left. Raises: NotFound, Conflict, InvalidInput."""
    fields = {"number": number_error(cmd.number), "reason": reason_error(cmd.reason)}
    refuse_fields(fields)
    lot = await _lock_changeable(uow, cmd.lot_id)
    if await _is_done(uow, cmd.token):
        return
    refuse_unseen(lot, cmd.seen)
    _refuse_ended(uow, lot)
    if cmd.number > lot.balance:
        sentence = _("Only %(left)s are left.", left=lot.balance)
        raise InvalidInput(sentence, fields={"number": sentence})
    author = Author.of_staff(ctx.actor, cmd.reason.strip())
    await write_entry(uow, lot, EntryKind.ADJUST, -cmd.number, author, entry_id=cmd.token)
    await audit(uow, ctx, "credits.removed", SUBJECT, lot.id, name=lot.name, credits=cmd.number)
    tell(uow, lot.id, CreditAct.REMOVED, cmd.token, cmd.reason, number=cmd.number)


async def change_end(
    uow: UnitOfWork,
    ctx: RequestContext,
    lot_id: UUID,
    on: date | None,
    reason: str,
    token: UUID,
    *,
    seen: int | None = None,
) -> CreditAct | None:
    """Lets the credits end with that day, later or sooner, or never; what was lost at their end is
    there again. Whose credits they are hears of it where something is in the lot.

    Returns which it was, None where they end then already. Seats that are booked stay booked.
    Raises: NotFound, Conflict, InvalidInput at `ends_on` for a day that is over, or `reason`.
    """
    zone = ctx.here.zone
    refuse_fields({"ends_on": end_error(on, uow.clock.now(), zone), "reason": reason_error(reason)})
    lot = await _lock_changeable(uow, lot_id)
    was, becomes = lot.expires_at, None if on is None else end_of(on, zone)
    if was == becomes:
        return None
    refuse_unseen(lot, seen)
    set_end(uow, lot, becomes)
    if lot.forfeited:
        author, back = Author.of_staff(ctx.actor, reason.strip()), lot.forfeited
        lot.forfeited = 0
        await write_entry(uow, lot, EntryKind.RESTORE, back, author)
    act = CreditAct.EXTENDED if is_later(becomes, was) else CreditAct.SHORTENED
    detail = {"name": lot.name, "was": _as_text(was), "becomes": _as_text(becomes)}
    await audit(uow, ctx, f"credits.{act}", SUBJECT, lot.id, reason=reason.strip(), **detail)
    if lot.balance:
        tell(uow, lot.id, act, token, reason)
    return act


async def roll_over(
    uow: UnitOfWork,
    ctx: RequestContext,
    lot_id: UUID,
    on: date | None,
    reason: str,
    *,
    seen: int | None = None,
) -> UUID:
    """What was left in expired credits, as new ones that are worth nothing as money.

    Returns the new lot, at the second press the one of the first. The old one is empty then, so
    that extending it gives nobody the same credits again.
    Raises: NotFound; Conflict for credits that have not expired; InvalidInput.
    """
    zone, now = ctx.here.zone, uow.clock.now()
    refuse_fields({"ends_on": end_error(on, now, zone), "reason": reason_error(reason)})
    await _keep_owner(uow, lot_id)
    lot = await _lock_changeable(uow, lot_id)
    before = await _find_rolled(uow, lot_id)
    if before is not None:
        return before
    refuse_unseen(lot, seen)
    if lot_state(lot_facts(lot), now) is not LotState.EXPIRED:
        raise Conflict(_("Only credits that have expired can be rolled over."))
    author, number = Author.of_staff(ctx.actor, reason.strip()), lot.balance + lot.forfeited
    new = NewLot(
        customer_id=lot.customer_id,
        source=LotSource.ROLLOVER,
        name=lot.name,
        credits=number,
        scope=scope_of(lot),
        currency=lot.currency,
        package_id=lot.package_id,
        rolled_from_id=lot.id,
        users=read_users(lot.users),
        expires_at=None if on is None else end_of(on, zone),
    )
    if lot.balance:
        await write_entry(uow, lot, EntryKind.EXPIRE, -lot.balance, author)
    lot.forfeited = 0
    [new_lot_id] = insert_lots(uow, [new], author, now)
    await audit(uow, ctx, "credits.rolled_over", SUBJECT, lot.id, name=lot.name, credits=number)
    tell(uow, new_lot_id, CreditAct.ROLLED_OVER, new_lot_id, reason, number=number)
    return new_lot_id


async def _keep_owner(uow: UnitOfWork, lot_id: UUID) -> None:
    """Holds whose credits they are, for whoever writes another lot: the customer before the lot, as
    an erasure locks them. Raises: NotFound; Conflict for credits whose customer was erased.
    """
    owner_id = await uow.session.scalar(
        select(CreditLot.customer_id).where(
            CreditLot.tenant_id == uow.tenant, CreditLot.id == lot_id
        )
    )
    if owner_id is None:
        raise no_such_credits()
    try:
        await keep_customer(uow, owner_id)
    except NotFound:
        raise Conflict(_of_nobody()) from None


async def _lock_changeable(uow: UnitOfWork, lot_id: UUID) -> CreditLot:
    """Raises: NotFound; Conflict for credits that are not paid, or never will be, and for those
    whose customer was erased: an erasure ends them with their rows locked, so it is seen here.
    """
    lot = await lock_lot(uow, lot_id)
    if await is_of_nobody(uow, lot):
        raise Conflict(_of_nobody())
    if not may_change(lot_state(lot_facts(lot), uow.clock.now())):
        raise Conflict(_("Nobody has paid for these credits, so there is nothing to change."))
    return lot


def refuse_unseen(lot: CreditLot, seen: int | None) -> None:
    """Raises: Conflict where another number is left of the locked lot than the page said; what was
    lost at its end counts as left, since the end may pass while the page is open.
    """
    if seen is not None and lot.balance + lot.forfeited != seen:
        raise Conflict(
            _("Credits have come or gone since you opened the page. Please look again."),
            code=CREDITS_CHANGED,
        )


def _of_nobody() -> str:
    return _("Their customer was erased, so nobody can use these credits any more.")


def _refuse_ended(uow: UnitOfWork, lot: CreditLot) -> None:
    """Raises: Conflict for credits whose end has passed: more of them would be lost at once."""
    if lot.expires_at is not None and uow.clock.now() > lot.expires_at:
        raise Conflict(_("These credits have ended. Extend them first."), code="credits_ended")


async def is_of_nobody(uow: UnitOfWork, lot: CreditLot) -> bool:
    """Whether the customer whose credits they are was erased."""
    erased_at = await uow.session.scalar(
        select(Customer.erased_at).where(
            Customer.tenant_id == uow.tenant, Customer.id == lot.customer_id
        )
    )
    return erased_at is not None


async def _is_done(uow: UnitOfWork, token: UUID) -> bool:
    """Whether the form was sent before; the lot is locked, so the first one is seen."""
    return await uow.session.get(CreditEntry, (uow.tenant, token)) is not None


async def _find_rolled(uow: UnitOfWork, lot_id: UUID) -> UUID | None:
    found: UUID | None = await uow.session.scalar(
        select(CreditLot.id).where(
            CreditLot.tenant_id == uow.tenant, CreditLot.rolled_from_id == lot_id
        )
    )
    return found


def _check_given(uow: UnitOfWork, ctx: RequestContext, cmd: GiveCredits) -> None:
    no_scope = _("Choose what they are good for.") if cmd.scope.is_empty else None
    refuse_fields(
        {
            "name": None if cmd.name.strip() else _("Give the credits a name."),
            "number": number_error(cmd.number),
            "scope": no_scope,
            "ends_on": end_error(cmd.ends_on, uow.clock.now(), ctx.here.zone),
            "reason": reason_error(cmd.reason),
        }
    )


def reason_error(reason: str) -> str | None:
    if not reason.strip():
        return _("Say why: it stands in the history, and the customer reads it.")
    if len(reason.strip()) > LONGEST_REASON:
        return _("Use at most %(most)s letters.", most=LONGEST_REASON)
    return None


def refuse_fields(fields: dict[str, str | None]) -> None:
    """Raises: InvalidInput where a field has a sentence."""
    wrong = {name: sentence for name, sentence in fields.items() if sentence is not None}
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)


def _as_text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def tell(
    uow: UnitOfWork, lot_id: UUID, act: CreditAct, key: UUID, reason: str, **more: Any
) -> None:
    uow.record(
        CreditsChanged(lot_id=lot_id, act=str(act), key=str(key), reason=reason.strip(), **more)
    )
