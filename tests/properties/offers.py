"""What the machine's business has on offer when it opens: written in one transaction."""

from datetime import timedelta
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

from src.billing.models import Package
from src.booking.domain import fees as kept
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.domain.price_tiers import PriceTier, document_of
from src.booking.domain.refund_policy import RefundPolicy
from src.booking.domain.waiting import WaitlistTerms
from src.booking.models import Service
from src.platform.db.uow import UnitOfWork, UowFactory
from tests.properties.credits_model import FLOW, GIVEN_FOR_DAYS
from tests.properties.fees_model import HANDED_ON_BEFORE
from tests.properties.model import Model
from tests.properties.things import Discount, FeeRule, Gift, Lot, Offer, Run
from tests.support.builders import a_series, a_service, a_session
from tests.support.coupons import a_coupon
from tests.support.credits import a_lot, a_package
from tests.support.policies import a_refund_package, gives_package
from tests.support.vouchers import a_voucher, sells_vouchers

STRICT = ((48, 100), (24, 50))
Fines = tuple[FeeRule | None, FeeRule | None]
NO_FINES: Fines = (None, None)
FINES: Fines = (FeeRule(amount=400), FeeRule(percent=50))


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
        self.uow = uow
        self.tenant_id = uow.tenant
        self.model = Model()

    async def open(self) -> Model:
        await self._packages()
        yoga = await self._service(
            "yoga", "online", 1500, STRICT, [(1.5, 2), (5, 1)], child=900, tag=FLOW, fees=FINES
        )
        desk = await self._service("desk", "on_site", 1200, (), [(3, 1), (6, 2)])
        await self._service("talk", "free", 0, (), [(4, 2)])
        await self._series(
            yoga, "online", 6000, STRICT, child=3500, whole_course=True, drop_in=True
        )
        await self._series(desk, "free", 0, (), whole_course=False, drop_in=False)
        await self._series(
            desk, "on_site", 5000, STRICT, whole_course=False, drop_in=True, tag=FLOW, fees=FINES
        )
        await self._coupon("HALF", percent=50, most=3)
        await self._coupon("GIFT", percent=100, most=1)
        await self._lot("carl", 4, in_days=6)
        await self._lot("carl", 2, in_days=None)
        await self._lot("dora", 3, in_days=3)
        await self._lot("emil", 1, in_days=0.5)
        await self._gift("K7QF-2M9X-3456-BCDF", 7000, in_days=None)
        await self._gift("K7QF-2M9X-3456-BCDG", 1460, in_days=2.5)
        await sells_vouchers(self.within, self.tenant_id)
        return self.model

    async def _packages(self) -> None:
        """Credits that are sold, and one that is given back."""
        sold = await a_package(
            self.within, self.tenant_id, credits=3, price_minor=3100, validity_days=4
        )
        given = await a_refund_package(
            self.within, self.tenant_id, tags=[FLOW], validity_days=GIVEN_FOR_DAYS
        )
        self.model.sold_package_id, self.model.given_package_id = sold.id, given.id
        self.given = given

    async def _service(
        self,
        slug: str,
        price_type: str,
        price: int,
        tiers: tuple[tuple[int, int], ...],
        dates: list[tuple[float, int]],
        *,
        child: int | None = None,
        tag: str | None = None,
        fees: Fines = NO_FINES,
    ) -> tuple[Service, Offer]:
        row = await a_service(
            self.within,
            self.tenant_id,
            slug=slug,
            name=slug.title(),
            price_type=price_type,
            price_minor=price,
            leaving=_terms(tiers, fees),
            tags=_words(tag),
            price_tiers=_prices(child),
            waitlist=WaitlistTerms(
                quiet_from=0, quiet_until=0, pass_hours=0 if slug == "yoga" else None
            ).document(),
        )
        offer = Offer(row.id, price_type, price, row.id, tiers, child_minor=child)
        offer.late_fee, offer.no_show_fee = fees
        offer.hands_on_before = HANDED_ON_BEFORE
        offer.passes, offer.tags = slug == "yoga", frozenset(_words(tag))
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
        tag: str | None = None,
        fees: Fines = NO_FINES,
    ) -> None:
        """Of whole courses that were bought, a date that is left gives a credit."""
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
            leaving=_terms(
                tiers, fees, whole_course=whole_course, given=self.given if whole_course else None
            ),
            tags=_words(tag),
            takes_credits=whole_course,
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
            takes_credits=whole_course,
            gives_credits=whole_course,
            late_fee=fees[0],
            no_show_fee=fees[1],
            hands_on_before=HANDED_ON_BEFORE,
            tags=singly.tags | frozenset(_words(tag)),
        )
        offer.runs = [
            Run(one.id, singly, one.starts_at, one.capacity, offer) for one in term.sessions
        ]
        self.model.series.append(offer)
        self.model.runs += offer.runs

    async def _lot(self, guest: str, credits_: int, *, in_days: float | None) -> None:
        now = self.uow.clock.now()
        expires_at = None if in_days is None else now + timedelta(days=in_days)
        _owner, lot_id = await a_lot(
            self.within,
            self.tenant_id,
            f"{guest}@guests.example",
            credits_,
            expires_at=expires_at,
        )
        self.model.lots.append(Lot(lot_id, guest, credits_, now, expires_at))

    async def _gift(self, code: str, minor: int, *, in_days: float | None) -> None:
        until = None if in_days is None else self.uow.clock.now() + timedelta(days=in_days)
        row = await a_voucher(self.within, self.tenant_id, minor=minor, code=code, expires_at=until)
        self.model.gifts.append(Gift(row.id, code, minor, until))

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


def _terms(
    tiers: tuple[tuple[int, int], ...],
    fees: Fines,
    *,
    whole_course: bool = False,
    given: Package | None = None,
) -> dict[str, Any]:
    steps = tuple(Tier(before=hours, percent=percent) for hours, percent in tiers)
    terms = LeavingTerms(
        tiers=steps,
        moves_before=2,
        whole_course=whole_course,
        hand_on_before=3,
        late_fee=_rule(fees[0]),
        no_show_fee=_rule(fees[1]),
    )
    if given is not None:
        terms = terms.with_policy(RefundPolicy(course=gives_package(given, steps)))
    return terms.document()


def _rule(fee: FeeRule | None) -> kept.FeeRule | None:
    if fee is None:
        return None
    return kept.FeeRule(amount_minor=fee.amount, currency="EUR", percent=fee.percent)


def _words(tag: str | None) -> list[str]:
    return [] if tag is None else [tag]


def _prices(child_minor: int | None) -> list[Any]:
    if child_minor is None:
        return []
    return document_of([PriceTier(key="child", name="Child", price_minor=child_minor)])
