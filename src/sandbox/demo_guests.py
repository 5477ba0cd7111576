"""What guests and staff of a demo business have done by the time it is loaded."""

from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec
from sqlalchemy import select

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.settlement import check_payment
from src.booking.commands.attendance import mark_attendance
from src.booking.commands.book import BookCommand
from src.booking.commands.leave import leave_dates
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeatState
from src.booking.domain.quotes import SubjectKind
from src.booking.domain.staff_rules import StaffPays
from src.booking.models import Seat
from src.booking.place import place_booking, place_by_staff
from src.platform.ids import new_id
from src.platform.services import Services
from src.sandbox.demo_shop import Opened
from src.sandbox.demo_times import earlier
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.context import GUEST


def address_of(name: str) -> str:
    return f"{name.split(maxsplit=1)[0].lower()}@guests.example"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Who books what; the first of the party is the guest, unless nobody else comes. With a
    `lot_id` its owner `customer_id`, who has signed in, pays by credits. With a `slot` it is an
    appointment at that time.
    """

    kind: SubjectKind
    subject_id: UUID
    party: tuple[str, ...]
    tiers: tuple[str, ...] = ()
    coupon: str = ""
    way: PayWay | None = None
    lot_id: UUID | None = None
    customer_id: UUID | None = None
    slot: SlotWish | None = None


class Guests:
    """Books and ticks off, now or some days ago, as pages do."""

    def __init__(self, opened: Opened) -> None:
        self._now = opened.services
        self.ctx = opened.ctx

    async def book(self, wish: Wish, *, days_ago: int = 0) -> UUID:
        """By the guest, who pays online where that is asked, which is possible now only. Returns
        the order.
        """
        services = self._at(days_ago)
        guest = msgspec.structs.replace(self.ctx, actor=GUEST)
        path = f"/b/{self.ctx.here.slug}"
        placed = await place_booking(services, guest, self._command(wish), cancel_path=path)
        if placed.payment_url is not None:
            await pay_by_card(placed.payment_url, wish.party[0])
            await check_payment(services, self.ctx.here.id, placed.order_id)
        return placed.order_id

    async def book_by_staff(
        self, wish: Wish, *, days_ago: int, pays: StaffPays = "on_site", is_paid: bool = True
    ) -> UUID:
        """At the counter; `is_paid` with the money in it. Returns the order."""
        services = self._at(days_ago)
        cmd = self._command(wish)
        async with services.uow_factory(self.ctx.here.id) as uow:
            customer_id = await find_or_add_customer(
                uow, cmd.guest_email, cmd.guest_name, "", uow.clock.now()
            )
        staff = msgspec.structs.replace(cmd, customer_id=customer_id, pays=pays)
        booked = await place_by_staff(services, self.ctx, staff)
        if is_paid and pays == "on_site":
            async with services.uow_factory(self.ctx.here.id) as uow:
                await mark_paid_on_site(uow, self.ctx, booked.order_id)
        return booked.order_id

    async def came(
        self, session_id: UUID, *, days_ago: int = 0, missing: int = 0, open_seats: int = 0
    ) -> None:
        """All but the last ones have come; of those some were missed, some are not ticked yet."""
        async with self._at(days_ago).uow_factory(self.ctx.here.id) as uow:
            found = await uow.session.scalars(
                select(Seat.id)
                .where(
                    Seat.tenant_id == uow.tenant,
                    Seat.session_id == session_id,
                    Seat.state == str(SeatState.CONFIRMED),
                )
                .order_by(Seat.id)
            )
            seats = found.all()
            ticked = seats[: len(seats) - open_seats]
            there = ticked[: len(ticked) - missing]
            await mark_attendance(uow, self.ctx, session_id, there, SeatState.ATTENDED)
            if missing:
                absent = ticked[len(there) :]
                await mark_attendance(uow, self.ctx, session_id, absent, SeatState.NO_SHOW)

    async def leave(self, order_id: UUID, session_id: UUID, *, days_ago: int = 0) -> None:
        """One of the order's party does, by the link in its mail."""
        async with self._at(days_ago).uow_factory(self.ctx.here.id) as uow:
            seats = await uow.session.scalars(
                select(Seat.id)
                .where(
                    Seat.tenant_id == uow.tenant,
                    Seat.order_id == order_id,
                    Seat.session_id == session_id,
                )
                .order_by(Seat.id)
                .limit(1)
            )
            await leave_dates(uow, self.ctx.here, order_id, seats.all())

    def _at(self, days_ago: int) -> Services:
        return earlier(self._now, days_ago) if days_ago else self._now

    def _command(self, wish: Wish) -> BookCommand:
        name = wish.party[0]
        return BookCommand(
            kind=wish.kind,
            subject_id=wish.subject_id,
            party=wish.party,
            tiers=wish.tiers,
            coupon=wish.coupon,
            way=wish.way,
            credit_lot_id=wish.lot_id,
            customer_id=wish.customer_id,
            slot=wish.slot,
            guest_name=name,
            guest_email=address_of(name),
            form_token=str(new_id()),
            locale=self.ctx.here.locale,
        )


async def pay_by_card(payment_url: str, name: str) -> None:
    """A card that works, by the stand-in's own knob."""
    parts = urlsplit(payment_url)
    async with httpx.AsyncClient(base_url=f"{parts.scheme}://{parts.netloc}") as browser:
        paid = await browser.post(
            "/_emulator/pay",
            json={
                "session": parts.path.rsplit("/", 1)[-1],
                "card": "4242424242424242",
                "name": name,
                "email": address_of(name),
            },
        )
        paid.raise_for_status()
