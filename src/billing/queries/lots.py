"""What the rows of lots and packages say, as the rules want it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select

from src.billing.domain.credits import LotFacts, LotSource, LotState, Scope, add_up, lot_state
from src.billing.domain.lot_users import read_users
from src.billing.models import CreditLot
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.models import Customer


def scope_of(row: Any) -> Scope:
    """The scope of a package's or a lot's row."""
    return Scope(
        any_service=row.any_service,
        service_ids=frozenset(UUID(one) for one in row.service_ids),
        tags=frozenset(row.tags),
    )


def lot_facts(lot: CreditLot) -> LotFacts:
    return LotFacts(
        id=lot.id,
        stored=LotState(lot.state),
        name=lot.name,
        balance=lot.balance,
        granted=lot.bought,
        expires_at=lot.expires_at,
        created_at=lot.created_at,
        scope=scope_of(lot),
        source=LotSource(lot.source),
        is_refunded=lot.refunded_minor > 0,
        forfeited=lot.forfeited,
        users=read_users(lot.users),
    )


def is_usable(uow: UnitOfWork, lot: CreditLot) -> bool:
    """Whether it has credits that somebody could use now."""
    return lot_state(lot_facts(lot), uow.clock.now()) is LotState.ACTIVE


def has_ended(uow: UnitOfWork, lot: CreditLot) -> bool:
    """Whether its time is over, be anything in it or not."""
    return lot.expires_at is not None and lot.expires_at < uow.clock.now()


async def list_lots(uow: UnitOfWork, customer_id: UUID) -> list[CreditLot]:
    """All lots of a customer, the oldest first."""
    found = await uow.session.scalars(
        select(CreditLot)
        .where(CreditLot.tenant_id == uow.tenant, CreditLot.customer_id == customer_id)
        .order_by(CreditLot.created_at, CreditLot.id)
    )
    return list(found)


async def list_lots_to_pay(uow: UnitOfWork, customer_id: UUID) -> list[LotFacts]:
    """The same as the rules want them, each with those that pay together with it."""
    return add_up([lot_facts(lot) for lot in await list_lots(uow, customer_id)])


def owner_was_erased() -> ColumnElement[bool]:
    """Of a lot: nobody can use it any more."""
    return exists().where(
        Customer.tenant_id == CreditLot.tenant_id,
        Customer.id == CreditLot.customer_id,
        Customer.erased_at.is_not(None),
    )


def no_such_credits() -> NotFound:
    return NotFound(_("There are no such credits."))
