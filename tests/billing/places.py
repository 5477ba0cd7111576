"""A small kind of thing to sell: places that are held, taken and freed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, literal, true

from src.billing.lines import Fate, LineKind, Undeliverable
from src.billing.models import Order
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


class Places(LineKind):
    """A line kind with a stock of its own; `states` says where each order's places stand."""

    def __init__(self, left: int = 1) -> None:
        self.left = left
        self.states: dict[UUID, str] = {}
        self.undeliverable_minor = 0
        self.given_up_minor = 0
        self.calls: list[str] = []

    def hold(self, order_id: UUID) -> None:
        self.left -= 1
        self.states[order_id] = "held"

    async def list_undeliverable(self, uow: UnitOfWork, order: Order) -> Sequence[Undeliverable]:
        lost = Undeliverable(order.id, self.undeliverable_minor)
        return [lost] if self.undeliverable_minor else []

    async def is_being_cancelled(self, uow: UnitOfWork, order: Order) -> bool:
        return bool(self.undeliverable_minor)

    async def confirm(
        self, uow: UnitOfWork, order: Order, undeliverable: Sequence[Undeliverable], now: datetime
    ) -> None:
        self.calls.append("confirm")
        assert self.states[order.id] == "held"
        self.states[order.id] = "sold"

    async def release(self, uow: UnitOfWork, order: Order, why: str, now: datetime) -> None:
        self.calls.append(f"release: {why}")
        assert self.states[order.id] == "held"
        self.states[order.id] = "free"
        self.left += 1

    def waived_minor(self) -> ColumnElement[int]:
        return literal(self.given_up_minor)

    def stands(self) -> ColumnElement[bool]:
        return true()

    async def fate(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Fate:
        return Fate(1 if self.states.get(order_id) == "sold" else 0, [])

    async def starts_at(self, uow: UnitOfWork, order: Order) -> datetime | None:
        return None

    def guest_path(self, settings: Settings, slug: str, order: Order) -> str:
        return f"/b/{slug}"

    async def list_sold_now(
        self, uow: UnitOfWork, order_ids: Collection[UUID], tenant: TenantSnapshot
    ) -> Mapping[UUID, Sequence[str]]:
        return {}

    async def names(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Sequence[str]:
        return ["Evening Yoga, 5 dates by now"]

    async def note_paid(self, uow: UnitOfWork, order: Order, now: datetime) -> None:
        self.calls.append("paid")

    async def note_handed_back(self, uow: UnitOfWork, subject_id: UUID, now: datetime) -> None:
        self.calls.append("handed back")

    async def reacquire(self, uow: UnitOfWork, order: Order, now: datetime) -> bool:
        self.calls.append("reacquire")
        assert self.states[order.id] == "free"
        if self.left < 1:
            return False
        self.left -= 1
        self.states[order.id] = "sold"
        return True
