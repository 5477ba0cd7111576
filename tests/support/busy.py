"""A business with some of everything, for what must not depend on how much it has."""

from typing import Any

from sqlalchemy import select

from src.billing.models import Coupon, DisputeRow, OpenItem, Order, Payment
from src.booking.check_in_codes import check_in_code
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase
from src.booking.commands.cancel_returns import NOTHING
from src.booking.commands.feeds import make_member_feed
from src.booking.commands.leave_requests import ask_to_leave
from src.booking.domain.kinds import FeedKind
from src.booking.guest_links import booking_path
from src.booking.models import Series, Service, Session
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.api_keys import create_api_key
from src.tenants.models import CustomerNote, CustomerTag
from tests.booking.commands.places import a_performer, a_room
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_leave import paid_by_card
from tests.booking.jobs.test_broadcast import send, session
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.coupons import a_coupon
from tests.support.waiting import joined

LEAVING = {"tiers": [{"before": 24, "percent": 100}], "moves_before": 24}
ON_SITE = {"price_type": "on_site", "leaving": LEAVING}


class Busy:
    """A business that has some of everything, and more of it each time that it grows."""

    business: Business
    service: Service
    series: Series
    term: Series
    packed: Series
    today: Session
    full: Session
    loose: Session
    coupon: Coupon
    of_carl: Booked
    of_term: Booked
    of_later: Booked

    api_key: str
    feed_key: str

    def __init__(self, services: Services) -> None:
        self.services = services
        self.factory = services.uow_factory
        self.size = 0

    async def open(self) -> None:
        self.business = await a_business(self.factory)
        self.service = await a_service(self.factory, self.business.id, **ON_SITE)
        many: dict[str, Any] = {"capacity": 200}
        term = await a_series(
            self.factory, self.service, price_type="on_site", drop_in_allowed=True, **many
        )
        self.series = term.series
        self.today = await a_session(self.factory, self.service, in_days=0.05, **many)
        self.loose = await a_session(self.factory, self.service, in_days=9, **many)
        self.full = await a_session(self.factory, self.service, in_days=10, capacity=1)
        await self.books("session", self.full, "full", 1)
        packed = await a_series(self.factory, self.service, price_type="on_site", capacity=1)
        self.packed = packed.series
        await self.books("series", self.packed, "full", 1)
        self.coupon = await a_coupon(self.factory, self.business.id)
        async with self.factory(self.business.id) as uow:
            ctx = self.business.ctx
            self.api_key = (await create_api_key(uow, ctx, "site")).plain
            self.feed_key = await make_member_feed(uow, ctx, FeedKind.BUSINESS)

    async def books(
        self, kind: str, subject: Series | Session, guest: str, people: int = 2
    ) -> Booked:
        """Paid by card."""
        wish = a_wish(
            kind,
            subject.id,
            party=tuple(f"Kid {number}" for number in range(people)),
            guest_name=guest,
            guest_email=f"{guest}@example.com",
            coupon="SPRING" if guest.startswith("buyer") else "",
        )
        made = await booked(self.factory, self.business, wish)
        await paid_by_card(self.services, self.business, made)
        return made

    async def grow(self, by: int) -> None:
        first, self.size = self.size, self.size + by
        self.of_carl = await self.books("session", self.today, "carl", self.size)
        self.of_later = await self.books("session", self.loose, "carl", self.size)
        dates: dict[str, Any] = {"sessions": self.size, "price_type": "on_site", "title": "Term"}
        self.term = (await a_series(self.factory, self.service, **dates)).series
        self.of_term = await self.books("series", self.term, "carl")
        for number in range(first, self.size):
            await self._offer(number)
            await self._sell(number)
            await joined(self.factory, self.business, "session", self.full.id, f"Waits{number}")
            await joined(self.factory, self.business, "series", self.packed.id, f"Hopes{number}")

    async def _offer(self, number: int) -> None:
        name, business = f"Dance {number}", self.business
        performer = await a_performer(self.factory, business, f"Ivan {number}")
        room = await a_room(self.factory, business, f"Room {number}")
        where = {"performer_id": performer.id, "location_id": room.id}
        service = await a_service(
            self.factory, business.id, slug=f"dance-{number}", name=name, **ON_SITE
        )
        await a_session(self.factory, service, in_days=0.1 + number, **where)
        await a_session(self.factory, self.service, in_days=3 + number, title=name, **where)
        for one in (service, self.service):
            await a_series(self.factory, one, sessions=2, title=name)
        await a_coupon(self.factory, business.id, f"DANCE{number}")

    async def _sell(self, number: int) -> None:
        buyer = await self.books("series", self.series, f"buyer{number}")
        await self.books("session", self.today, f"guest{number}")
        await self.books("session", self.loose, "carl")
        asks = await self.books("series", self.series, f"asks{number}")
        leaves = await self.books("session", self.loose, f"gone{number}")
        async with self.factory(self.business.id) as uow:
            await ask_to_leave(uow, asks.order_id, "We move away.")
            await cancel_purchase(
                uow, self.business.ctx, leaves.booking_id, reason="", undo_seconds=60, money=NOTHING
            )
        await self._tell(number, buyer)
        both = (session(self.today.id), session(self.loose.id))
        await send(self.services, self.business, both[0], audiences=both)

    async def _tell(self, number: int, made: Booked) -> None:
        """What nobody does by a command, or what comes from outside, about a purchase."""
        async with self.factory(self.business.id) as uow:
            now, carl = uow.clock.now(), await self._order(uow, self.of_carl)

            def add(model: type[Any], **more: Any) -> None:
                uow.session.add(model(tenant_id=self.business.id, id=new_id(), **more))

            for order_id in (made.order_id, carl.id):
                payment = select(Payment.id).where(Payment.order_id == order_id)
                add(
                    DisputeRow,
                    payment_id=await uow.session.scalar(payment),
                    order_id=order_id,
                    processor_id=str(new_id()),
                    amount_minor=100,
                    currency="EUR",
                    state="open",
                    opened_at=now,
                )
            add(
                OpenItem,
                kind="payment_mismatch",
                subject_id=new_id(),
                order_id=made.order_id,
                sentence="Look here.",
                created_at=now,
            )
            add(
                CustomerNote,
                customer_id=carl.customer_id,
                text="Prefers the back row.",
                author_name="Olive",
                created_at=now,
            )
            add(CustomerTag, customer_id=carl.customer_id, word=f"word {number}")

    async def _order(self, uow: UnitOfWork, made: Booked) -> Order:
        return await uow.session.get_one(Order, (self.business.id, made.order_id))

    async def pages(self) -> list[str]:
        """Every page that shows rows, many or few."""
        async with self.factory(self.business.id) as uow:
            order = await self._order(uow, self.of_carl)
            of_term = await self._order(uow, self.of_term)
            code = check_in_code(self.services.settings, order)
            of_later = await self._order(uow, self.of_later)
            later = booking_path(self.services.settings, "lotus", of_later)
            booking = booking_path(self.services.settings, "lotus", of_term)
        app, hub, today = "/app/lotus", "/b/lotus", f"/app/lotus/sessions/{self.today.id}"
        of_series = f"{app}/series/{self.series.id}"
        return [
            hub,
            f"{hub}/yoga?how=series",
            f"{hub}/yoga?how=single",
            f"{hub}/yoga/book?series={self.term.id}",
            booking,
            f"{later}/leave?date={self.loose.id}",
            f"{later}/move?date={self.loose.id}",
            f"{app}/today",
            f"{app}/calendar",
            f"{app}/calendar/entries?start=2027-03-01&end=2027-04-05",
            f"{app}/services",
            f"{app}/sessions",
            f"{app}/services/{self.service.id}/sessions",
            f"{app}/series",
            f"{app}/services/{self.service.id}/series",
            f"{app}/series/{self.term.id}",
            f"{of_series}/buyers",
            f"{of_series}/cancel",
            f"{app}/series/{self.packed.id}/waitlist",
            today,
            f"{today}/print",
            f"{today}/cancel",
            f"{app}/sessions/{self.full.id}/waitlist",
            f"{app}/check-in/{code}",
            f"{app}/bookings/{self.of_carl.booking_id}",
            f"{app}/bookings/{self.of_term.booking_id}",
            f"{app}/orders",
            f"{app}/orders/{self.of_carl.order_id}",
            f"{app}/customers",
            f"{app}/customers/{order.customer_id}",
            f"{app}/customers/{order.customer_id}?what=session:{self.loose.id}",
            f"{app}/coupons",
            f"{app}/coupons/{self.coupon.id}",
            f"{app}/broadcasts",
            f"{app}/settings/log",
            f"{app}/settings/performers",
            f"{app}/settings/locations",
        ]

    def answers(self) -> list[str]:
        """What programs fetch that has rows: each list of the API, a booking with its seats, and
        the business's calendar.
        """
        api = "/api/v1"
        return [
            f"{api}/services",
            f"{api}/sessions",
            f"{api}/series",
            f"{api}/hub",
            f"{api}/bookings/{self.of_carl.booking_id}",
            f"{api}/bookings/{self.of_term.booking_id}",
            f"/b/lotus/feeds/{self.feed_key}/calendar.ics",
        ]
