"""What a fee's line does when its order lives or dies: a paid fee is not asked any more."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, literal, select
from sqlalchemy.orm import aliased

from src.billing.commands.due import drop_due
from src.billing.commands.fees import FEE_LINE, lock_fee
from src.billing.domain.kinds import FeeState
from src.billing.events import FeePaid
from src.billing.lines import Fate, LineKind, Undeliverable
from src.billing.models import Fee, Order, OrderLine
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


class FeeLines(LineKind):
    """Fees hold no place, so nothing has to be freed."""

    holds_places = False

    async def list_undeliverable(self, uow: UnitOfWork, order: Order) -> Sequence[Undeliverable]:
        """One that was forgiven, dropped or paid in another way meanwhile: the money goes back."""
        fee = await self._lock(uow, order)
        if fee.state == FeeState.ASKED:
            return ()
        return (Undeliverable(fee.id, order.total_minor),)

    async def is_being_cancelled(self, uow: UnitOfWork, order: Order) -> bool:
        return False

    async def confirm(
        self, uow: UnitOfWork, order: Order, undeliverable: Sequence[Undeliverable], now: datetime
    ) -> None:
        if not undeliverable:
            await self._mark_paid(uow, await self._lock(uow, order), order, now)

    async def release(self, uow: UnitOfWork, order: Order, why: str, now: datetime) -> None:
        """It is still asked, and may be paid with another order."""

    def waived_minor(self) -> ColumnElement[int]:
        return literal(0)

    def stands(self) -> ColumnElement[bool]:
        line = aliased(OrderLine)
        return (
            exists()
            .where(
                line.tenant_id == Order.tenant_id,
                line.order_id == Order.id,
                line.kind == FEE_LINE,
            )
            .correlate(Order)
        )

    async def fate(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Fate:
        """A fee is no place that could be freed."""
        return Fate(standing=0, ended=())

    async def list_sold_now(
        self, uow: UnitOfWork, order_ids: Collection[UUID], tenant: TenantSnapshot
    ) -> Mapping[UUID, Sequence[str]]:
        return {}

    async def names(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Sequence[str]:
        of = (OrderLine.tenant_id == uow.tenant, OrderLine.order_id == order_id)
        found = await uow.session.scalars(
            select(OrderLine.description).where(*of, OrderLine.kind == FEE_LINE)
        )
        return list(found)

    async def note_handed_back(self, uow: UnitOfWork, subject_id: UUID, now: datetime) -> None:
        """Nothing of a fee is promised to be handed back."""

    async def reacquire(self, uow: UnitOfWork, order: Order, now: datetime) -> bool:
        fee = await self._lock(uow, order)
        if fee.state != FeeState.ASKED:
            return False
        await self._mark_paid(uow, fee, order, now)
        return True

    async def _lock(self, uow: UnitOfWork, order: Order) -> Fee:
        of = (OrderLine.tenant_id == uow.tenant, OrderLine.order_id == order.id)
        fee_id = await uow.session.scalar(
            select(OrderLine.subject_id).where(*of, OrderLine.kind == FEE_LINE)
        )
        assert fee_id is not None
        return await lock_fee(uow, fee_id)

    async def _mark_paid(self, uow: UnitOfWork, fee: Fee, order: Order, now: datetime) -> None:
        fee.state, fee.decided_at, fee.pays_id = str(FeeState.PAID), now, order.id
        await drop_due(uow, fee.id)
        await uow.session.flush()
        uow.record(FeePaid(fee_id=fee.id))
