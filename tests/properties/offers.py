"""What the machine's business has on offer when it opens: written in one transaction."""

from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.domain.price_tiers import PriceTier, document_of
from src.booking.domain.waiting import WaitlistTerms
from src.booking.models import Service
from src.platform.db.uow import UnitOfWork, UowFactory
from tests.properties.model import Model
from tests.properties.things import Discount, Offer, Run
from tests.support.builders import a_series, a_service, a_session
from tests.support.coupons import a_coupon

STRICT = ((48, 100), (24, 50))


class _Within:
    """A unit of work that is open, for builders that would each open one of their own."""

    def __init__(self, uow: UnitOfWork) -> None:
        self.uow = uow

    def __call__(self, _tenant_id: UUID | None) -> Self:
        return self

    async def __aenter__(self) -> UnitOfWork:
        return self.uow

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.uow.session.flush()


class Offers:
    """Little room, so that guests get in each other's way: three services, three series."""

    def __init__(self, uow: UnitOfWork) -> None:
        self.within = cast(UowFactory, _Within(uow))
        self.tenant_id = uow.tenant
        self.model = Model()

    async def open(self) -> Model:
        yoga = await self._service("yoga", "online", 1500, STRICT, [(1.5, 2), (5, 1)], child=900)
        desk = await self._service("desk", "on_site", 1200, (), [(3, 1), (6, 2)])
        await self._service("talk", "free", 0, (), [(4, 2)])
        await self._series(
            yoga, "online", 6000, STRICT, child=3500, whole_course=True, drop_in=True
        )
        await self._series(desk, "free", 0, (), whole_course=False, drop_in=False)
        await self._series(desk, "on_site", 5000, STRICT, whole_course=False, drop_in=True)
        await self._coupon("HALF", percent=50, most=3)
        await self._coupon("GIFT", percent=100, most=1)
        return self.model

    async def _service(
        self,
        slug: str,
        price_type: str,
        price: int,
        tiers: tuple[tuple[int, int], ...],
        dates: list[tuple[float, int]],
        *,
        child: int | None = None,
    ) -> tuple[Service, Offer]:
        row = await a_service(
            self.within,
            self.tenant_id,
            slug=slug,
            name=slug.title(),
            price_type=price_type,
            price_minor=price,
            leaving=_terms(tiers),
            price_tiers=_prices(child),
            waitlist=WaitlistTerms(
                quiet_from=0, quiet_until=0, pass_hours=0 if slug == "yoga" else None
            ).document(),
        )
        offer = Offer(row.id, price_type, price, row.id, tiers, child_minor=child)
        offer.passes = slug == "yoga"
        for in_days, capacity in dates:
            session = await a_session(self.within, row, in_days=in_days, capacity=capacity)
            self.model.runs.append(Run(session.id, offer, session.starts_at, capacity))
        return row, offer

    async def _series(
        self,
        of: tuple[Service, Offer],
        price_type: str,
        price: int,
        tiers: tuple[tuple[int, int], ...],
        *,
        whole_course: bool,
        drop_in: bool,
        child: int | None = None,
    ) -> None:
        service, singly = of
        term = await a_series(
            self.within,
            service,
            sessions=3,
            capacity=2,
            first_in_days=2,
            price_type=price_type,
            price_minor=price,
            join_policy="any_time",
            drop_in_allowed=drop_in,
            leaving=_terms(tiers, whole_course=whole_course),
            price_tiers=_prices(child),
        )
        offer = Offer(
            term.series.id,
            price_type,
            price,
            service.id,
            tiers,
            whole_course,
            sells_singles=drop_in,
            base=len(term.sessions),
            child_minor=child,
            passes=singly.passes,
        )
        offer.runs = [
            Run(one.id, singly, one.starts_at, one.capacity, offer) for one in term.sessions
        ]
        self.model.series.append(offer)
        self.model.runs += offer.runs

    async def _coupon(self, code: str, *, percent: int, most: int) -> None:
        """Each guest may use it once."""
        row = await a_coupon(
            self.within,
            self.tenant_id,
            code,
            percent=percent,
            max_uses=most,
            max_per_customer=1,
        )
        self.model.coupons.append(Discount(row.id, code, percent, most, 1))


def _terms(tiers: tuple[tuple[int, int], ...], *, whole_course: bool = False) -> dict[str, Any]:
    steps = tuple(Tier(before=hours, percent=percent) for hours, percent in tiers)
    return LeavingTerms(tiers=steps, moves_before=2, whole_course=whole_course).document()


def _prices(child_minor: int | None) -> list[Any]:
    if child_minor is None:
        return []
    return document_of([PriceTier(key="child", name="Child", price_minor=child_minor)])
