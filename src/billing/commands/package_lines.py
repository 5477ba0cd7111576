"""What confirming, releasing and reacquiring mean for a package that was bought.

The credits lie in a lot of their own, which waits with the order: filled when the money is there,
void when it never comes. Locks: the order's row first, as ever, and the lot after everything else.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import aliased

from src.billing.commands.credits import GUEST, activate_lots, void_lots
from src.billing.commands.due import drop_due
from src.billing.commands.ending_parts import void_parts
from src.billing.commands.instalments import begin_parts
from src.billing.commands.orders import get_order
from src.billing.domain.credits import LotState
from src.billing.domain.kinds import CALLED_OFF_WHY, GIVEN_UP_WHY, OrderEnd
from src.billing.events import PackageBought
from src.billing.lines import Ended, Fate, LineKind, Undeliverable
from src.billing.models import CreditLot, Order, OrderLine
from src.billing.words import order_end_words
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.queries.tenants import tenant_snapshot

KIND = "package"


class PackageLines(LineKind):
    """Lines of kind `package`: credits, one lot for each line. `path_of` tells the page of such an
    order, which is not billing's, of the settings, the business's slug and the order.
    """

    holds_places = False

    def __init__(self, path_of: Callable[[Settings, str, Order], str]) -> None:
        self._path_of = path_of

    def guest_path(self, settings: Settings, slug: str, order: Order) -> str:
        return self._path_of(settings, slug, order)

    async def list_undeliverable(self, uow: UnitOfWork, order: Order) -> Sequence[Undeliverable]:
        """None: what is paid for is given, whatever has become of the package since."""
        return ()

    async def is_being_cancelled(self, uow: UnitOfWork, order: Order) -> bool:
        return False

    async def confirm(
        self, uow: UnitOfWork, order: Order, undeliverable: Sequence[Undeliverable], now: datetime
    ) -> None:
        await self._fill(uow, order, now)

    async def release(self, uow: UnitOfWork, order: Order, why: str, now: datetime) -> None:
        await void_parts(uow, [order.id])
        await void_lots(uow, order.id)

    async def note_paid(self, uow: UnitOfWork, order: Order, now: datetime) -> None:
        """The desk has taken the money that the credits waited for."""
        await drop_due(uow, order.id)
        await self._fill(uow, order, now)

    async def reacquire(self, uow: UnitOfWork, order: Order, now: datetime) -> bool:
        """Credits are never gone to others, so that a late payment always brings them."""
        return await self._fill(uow, order, now)

    def waived_minor(self) -> ColumnElement[int]:
        """The price of what lapsed unpaid."""
        line, lot = aliased(OrderLine), aliased(CreditLot)
        return (
            select(func.coalesce(func.sum(line.total_minor), 0))
            .where(
                line.tenant_id == Order.tenant_id,
                line.order_id == Order.id,
                line.kind == KIND,
                exists().where(
                    lot.tenant_id == line.tenant_id,
                    lot.order_id == line.order_id,
                    lot.package_id == line.subject_id,
                    lot.state == str(LotState.VOID),
                ),
            )
            .correlate(Order)
            .scalar_subquery()
        )

    def stands(self) -> ColumnElement[bool]:
        """Used up, expired or refunded credits stand as well: they were delivered."""
        lot = aliased(CreditLot)
        return (
            exists()
            .where(
                lot.tenant_id == Order.tenant_id,
                lot.order_id == Order.id,
                lot.source == "package",
                lot.state != str(LotState.VOID),
            )
            .correlate(Order)
        )

    async def fate(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Fate:
        lots = await _lots_of(uow, order_id)
        void = [lot for lot in lots if lot.state == LotState.VOID]
        order = await get_order(uow, order_id)
        is_given_up = order.closed_why == GIVEN_UP_WHY
        by, end = ("guest", OrderEnd.GIVEN_UP) if is_given_up else ("system", OrderEnd.EXPIRED)
        said = order_end_words(end, holds_places=False)
        # That the business cancelled it, the log tells, with who did.
        ended = [
            Ended(order.closed_at or lot.created_at, 1, by, "", what=lot.name, said=said)
            for lot in void
            if order.confirmed_at is not None and order.closed_why != CALLED_OFF_WHY
        ]
        pages = [(_("See the credits"), f"credits/{lot.id}") for lot in lots if lot not in void]
        return Fate(standing=0, ended=ended, pages=pages)

    async def list_sold_now(
        self, uow: UnitOfWork, order_ids: Collection[UUID], tenant: TenantSnapshot
    ) -> Mapping[UUID, Sequence[str]]:
        """The lines say it themselves."""
        return {}

    async def names(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Sequence[str]:
        return list(dict.fromkeys(lot.name for lot in await _lots_of(uow, order_id)))

    async def note_handed_back(self, uow: UnitOfWork, subject_id: UUID, now: datetime) -> None:
        """No open item is about a lot's own state."""

    async def _fill(self, uow: UnitOfWork, order: Order, now: datetime) -> bool:
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        await begin_parts(uow, order, tenant)
        filled = await activate_lots(uow, tenant, order.id, GUEST, now)
        if filled:
            uow.record(PackageBought(order_id=order.id))
        return bool(filled)


async def _lots_of(uow: UnitOfWork, order_id: UUID) -> Sequence[CreditLot]:
    found = await uow.session.scalars(
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.source == "package",
        )
        .order_by(CreditLot.id)
    )
    return found.all()
