"""What the machine does to the real thing: one command a step."""

from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import select, text

from src.billing.checkout import ensure_payment_page
from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.by_staff import (
    RefundByHand,
    mark_paid_on_site,
    refund_by_hand,
    retry_refund_by_hand,
)
from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.commands.credits import lock_lot, set_end
from src.billing.commands.dispute_news import take_dispute_news
from src.billing.commands.fees import begin_fee_payment, forgive_fee, take_fee_on_site
from src.billing.commands.orders import lock_order
from src.billing.commands.transfers import (
    Received,
    TransferReceived,
    extend_transfer,
    mark_transfer_received,
)
from src.billing.commands.voucher_sales import SellVoucher, sell_voucher
from src.billing.commands.vouchers import set_voucher_blocked
from src.billing.jobs.credit_ends import look_at_due_credits
from src.billing.jobs.fees import charge_due_fees
from src.billing.jobs.transfers import remind_of_transfers
from src.billing.models import CreditLot, Payment, Refund, Voucher
from src.billing.models import Fee as FeeRow
from src.billing.processor import Dispute
from src.billing.settlement import settle_page
from src.booking.commands.attendance import Ticked, mark_attendance
from src.booking.commands.book import BookCommand, Booked, book
from src.booking.commands.cancel import cancel_purchase, cancel_session, undo_cancellation
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.commands.cancel_series import cancel_series
from src.booking.commands.exchange import MoveSeats, move_seats
from src.booking.commands.hand_on import HandOn, hand_on
from src.booking.commands.leave import leave_course, leave_dates
from src.booking.commands.sessions import UpdateSession, update_session
from src.booking.commands.swap import swap_seats
from src.booking.commands.waitlist import (
    JoinWaitlist,
    join_waitlist,
    leave_waitlist,
    remove_entry,
)
from src.booking.commands.waitlist_serve import offer_by_hand
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import By, SeatState
from src.booking.domain.price_tiers import FULL
from src.booking.held_places import Released, Taken, release_held, take_held
from src.booking.jobs.waitlist import serve_due
from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.money import Money
from src.tenants.context import TenantSnapshot
from src.tenants.queries.tenants import tenant_snapshot
from tests.properties.things import (
    Back,
    Discount,
    Entry,
    Fee,
    Gift,
    Lot,
    Offer,
    Place,
    Promise,
    Purchase,
    Run,
    Sale,
    Subject,
)
from tests.properties.world import Shop
from tests.support.builders import as_guest
from tests.support.work import work

_ILL: dict[str, Any] = {"reason": "Ill", "undo_seconds": 10}
ADDRESS = "http://testserver.local/"
_CAUSES = {"lost": "not_delivered", "not delivered": "not_delivered"}
_LOOK_NOW = text("UPDATE due SET at = :now WHERE kind = 'credits' AND tenant_id = :tenant_id")
_SEATS = text(
    "SELECT id, session_id, participant_id, share_minor, state, returned_minor FROM seats"
    " WHERE order_id = :order_id ORDER BY id"
)


class SoldSeat(NamedTuple):
    """A seat as it is in the database."""

    id: UUID
    session_id: UUID
    participant_id: UUID
    share_minor: int
    state: str
    returned_minor: int


class Steps:
    """The shop's commands, as a guest or its owner gives them."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.factory = shop.factory

    # --- guests

    async def book(
        self,
        what: Run | Offer,
        size: int,
        guest: str,
        coupon: Discount | Gift | None,
        *,
        child: bool = False,
        taking: Promise | None = None,
        by_link: bool = False,
        lot: Lot | None = None,
        by_transfer: bool = False,
    ) -> Booked:
        wish = BookCommand(
            kind="session" if isinstance(what, Run) else "series",
            subject_id=what.id,
            party=("",) * size,
            guest_name=guest.title(),
            guest_email=f"{guest}@guests.example",
            form_token=str(new_id()),
            coupon="" if coupon is None else coupon.code,
            tiers=(FULL,) * (size - 1) + ("child",) if child else (),
            offer_id=None if taking is None else taking.id,
            source="staff" if by_link else "hub",
            pays="link" if by_link else None,
            **({"way": PayWay.TRANSFER} if by_transfer else {}),
            **({} if lot is None else await self._paying_by(lot)),
        )
        ctx = self.shop.business.ctx if by_link else as_guest(self.shop.business)
        async with self.factory(self.shop.id) as uow:
            return await book(uow, ctx, wish)

    async def _paying_by(self, lot: Lot) -> dict[str, Any]:
        """Its owner has signed in."""
        async with self.factory(self.shop.id) as uow:
            row = await self._row_of(uow, lot)
        return {"way": PayWay.CREDIT, "customer_id": row.customer_id, "credit_lot_id": row.id}

    async def _row_of(self, uow: UnitOfWork, lot: Lot) -> CreditLot:
        born = (CreditLot.id == lot.id) | (CreditLot.source_seat_id == lot.id)
        return (await uow.session.scalars(select(CreditLot).where(born))).one()

    async def buy_credits(self, guest: str, package_id: UUID) -> tuple[UUID, UUID]:
        """Returns the order and the lot. The guest pays at once, and we hear of it."""
        wish = BuyCommand(
            package_id=package_id,
            guest_name=guest.title(),
            guest_email=f"{guest}@guests.example",
            form_token=str(new_id()),
        )
        async with self.factory(self.shop.id) as uow:
            order = await buy_package(uow, as_guest(self.shop.business), wish)
        await self._open_page(order.id)
        await self.shop.pay(order.id)
        await self._hear(order.id)
        async with self.factory(self.shop.id) as uow:
            lots = await uow.session.scalars(
                select(CreditLot.id).where(CreditLot.order_id == order.id)
            )
            return order.id, lots.one()

    async def refund_credits(self, lot: Lot, amount: int) -> None:
        """Pressed twice, too."""
        token = new_id()
        for _press in range(2):
            async with self.factory(self.shop.id) as uow:
                cmd = RefundCredits(
                    lot_id=(await self._row_of(uow, lot)).id,
                    amount_minor=amount,
                    seen=lot.balance,
                    reason="Moves away",
                    token=token,
                )
                await refund_credits(uow, self.shop.business.ctx, cmd)

    async def extend(self, lot: Lot, expires_at: datetime) -> None:
        async with self.factory(self.shop.id) as uow:
            row = await self._row_of(uow, lot)
            set_end(uow, await lock_lot(uow, row.id), expires_at)

    async def open_page(self, sale: Sale) -> str:
        return await self._open_page(sale.id)

    async def _open_page(self, order_id: UUID) -> str:
        return await ensure_payment_page(
            self.shop.services,
            self.shop.id,
            order_id,
            success_url=ADDRESS,
            cancel_url=ADDRESS,
        )

    async def hear(self, sale: Sale) -> None:
        await self._hear(sale.id)

    async def _hear(self, order_id: UUID) -> None:
        page_id, _session_id = await self.shop.page_of(order_id)
        await settle_page(self.shop.services, self.shop.id, page_id)

    async def leave(self, sale: Sale, places: list[Place]) -> int:
        async with self.factory(self.shop.id) as uow:
            ids = [place.id for place in places]
            return (await leave_dates(uow, await self._tenant(uow), sale.id, ids)).back_minor

    async def leave_course(self, sale: Sale) -> int:
        async with self.factory(self.shop.id) as uow:
            return (await leave_course(uow, await self._tenant(uow), sale.id)).back_minor

    async def exchange(self, place: Place, to: Run) -> UUID:
        cmd = MoveSeats(order_id=place.order.id, seat_ids=[place.id], session_id=to.id)
        async with self.factory(self.shop.id) as uow:
            [new] = await move_seats(uow, await self._tenant(uow), cmd)
            return new

    async def swap(self, place: Place, to: Run) -> tuple[UUID, UUID, UUID]:
        """Returns the order and the booking that it made, and the seat."""
        cmd = MoveSeats(order_id=place.order.id, seat_ids=[place.id], session_id=to.id)
        async with self.factory(self.shop.id) as uow:
            done = await swap_seats(uow, await self._tenant(uow), cmd)
            [seat_id] = done.seat_ids
            booking_id = (await uow.session.get_one(Seat, (self.shop.id, seat_id))).booking_id
            return done.order_id, booking_id, seat_id

    async def hand_on(self, place: Place, name: str, address: str, by: By) -> UUID:
        """Returns the participant who sits there then; pressed again it changes nothing."""
        order_id, seat_id = place.order.id, place.id
        cmd = HandOn(order_id=order_id, seat_id=seat_id, name=name, address=address, by=by)
        for press in range(2):
            async with self.factory(self.shop.id) as uow:
                is_new = await hand_on(uow, self.shop.business.ctx, cmd)
                assert is_new == (press == 0)
            if address.endswith("@guests.example"):
                break
        async with self.factory(self.shop.id) as uow:
            return (await uow.session.get_one(Seat, (self.shop.id, seat_id))).participant_id

    # --- fees

    async def tick(self, place: Place, wanted: SeatState) -> Ticked:
        async with self.factory(self.shop.id) as uow:
            ctx = self.shop.business.ctx
            return await mark_attendance(uow, ctx, place.run.id, [place.id], wanted)

    async def _fee_id(self, uow: UnitOfWork, fee: Fee) -> UUID:
        found = await uow.session.scalars(
            select(FeeRow.id).where(FeeRow.subject_id == fee.place.id)
        )
        return found.one()

    async def forgive(self, fee: Fee) -> None:
        async with self.factory(self.shop.id) as uow:
            await forgive_fee(uow, self.shop.business.ctx, await self._fee_id(uow, fee), "Ill")

    async def take_fee(self, fee: Fee) -> UUID | None:
        """Returns the order that it was paid with."""
        async with self.factory(self.shop.id) as uow:
            fee_id = await self._fee_id(uow, fee)
            await take_fee_on_site(uow, self.shop.business.ctx, fee_id)
        async with self.factory(self.shop.id) as uow:
            return (await uow.session.get_one(FeeRow, (self.shop.id, fee_id))).pays_id

    async def begin_fee(self, fee: Fee) -> UUID:
        async with self.factory(self.shop.id) as uow:
            return await begin_fee_payment(uow, await self._fee_id(uow, fee))

    # --- the owner

    async def refund(self, sale: Sale | Purchase, amount: int, gift: Gift | None) -> None:
        """A button that is pressed twice, as impatient people do."""
        payment_id = await self._payment(sale, by_gift=gift is not None)
        cmd = RefundByHand(
            order_id=sale.id, payment_id=payment_id, amount_minor=amount, token=str(new_id())
        )
        async with self.factory(self.shop.id) as uow:
            await refund_by_hand(uow, self.shop.business.ctx, cmd)
        async with self.factory(self.shop.id) as uow:
            await refund_by_hand(uow, self.shop.business.ctx, cmd)

    async def _payment(self, sale: Sale | Purchase, *, by_gift: bool = False) -> UUID:
        of = Payment.order_id == sale.id
        async with self.factory(self.shop.id) as uow:
            found = await uow.session.scalars(
                select(Payment.id).where(of, (Payment.method == "voucher") == by_gift)
            )
            return found.one()

    async def retry(self, back: Back, which: int) -> None:
        """`which` of those that are alike, in the order in which they were asked for."""
        async with self.factory(self.shop.id) as uow:
            alike = await uow.session.scalars(
                select(Refund.id)
                .where(
                    Refund.order_id == back.of.id,
                    Refund.amount_minor == back.amount,
                    Refund.cause == _CAUSES.get(back.cause, back.cause),
                    Refund.state == "failed",
                )
                .order_by(Refund.id)
            )
            refund_id = list(alike)[which]
            await retry_refund_by_hand(uow, self.shop.business.ctx, back.of.id, refund_id)

    async def buy_gift(self, guest: str, amount: int) -> Gift:
        """Paid at once, and we hear of it."""
        wish = SellVoucher(
            amount_minor=amount,
            buyer_name=guest.title(),
            buyer_email=f"{guest}@guests.example",
            form_token=str(new_id()),
        )
        async with self.factory(self.shop.id) as uow:
            order = await sell_voucher(uow, as_guest(self.shop.business), wish)
        await self._open_page(order.id)
        await self.shop.pay(order.id)
        await self._hear(order.id)
        async with self.factory(self.shop.id) as uow:
            found = await uow.session.scalars(select(Voucher).where(Voucher.order_id == order.id))
            row = found.one()
            bought = Purchase(order.id, guest, amount)
            return Gift(row.id, row.code, amount, row.expires_at, bought=bought)

    async def dispute(self, purchase: Purchase, outcome: Literal["won", "lost"] | None) -> None:
        """As its bank's news are taken."""
        payment_id = await self._payment(purchase)
        news = Dispute(
            id=f"du_{purchase.id}",
            payment_intent_id="",
            amount_minor=purchase.paid,
            currency="EUR",
            outcome=outcome,
        )
        async with self.factory(self.shop.id) as uow:
            await lock_order(uow, purchase.id)
            await take_dispute_news(uow, payment_id, purchase.id, "R", news)

    async def block(self, gift: Gift, *, blocked: bool) -> None:
        async with self.factory(self.shop.id) as uow:
            ctx = self.shop.business.ctx
            await set_voucher_blocked(uow, ctx, gift.id, blocked=blocked)

    async def mark_paid(self, sale: Sale) -> Money:
        async with self.factory(self.shop.id) as uow:
            return await mark_paid_on_site(uow, self.shop.business.ctx, sale.id)

    async def receive(self, sale: Sale, amount: int) -> Received:
        """Written down twice, of course."""
        token = new_id()
        async with self.factory(self.shop.id) as uow:
            ctx, now = self.shop.business.ctx, uow.clock.now()
            cmd = TransferReceived(
                order_id=sale.id,
                amount_minor=amount,
                arrived_on=now.astimezone(ctx.here.zone).date(),
                token=token,
            )
            received = await mark_transfer_received(uow, ctx, cmd)
        async with self.factory(self.shop.id) as uow:
            assert (await mark_transfer_received(uow, ctx, cmd)).outcome == "known"
        return received

    async def prolong(self, sale: Sale, due_on: date) -> None:
        async with self.factory(self.shop.id) as uow:
            await extend_transfer(uow, self.shop.business.ctx, sale.id, due_on)

    async def mark_held(self, sale: Sale) -> Taken:
        async with self.factory(self.shop.id) as uow:
            return await take_held(uow, self.shop.business.ctx, sale.id)

    async def release_held(self, sale: Sale) -> Released:
        return await release_held(self.shop.services, self.shop.business.ctx, sale.id)

    async def change(self, run: Run, *, capacity: int, starts_at: datetime) -> None:
        cmd = UpdateSession(
            session_id=run.id,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            capacity=capacity,
            move_guests=True,
        )
        async with self.factory(self.shop.id) as uow:
            await update_session(uow, self.shop.business.ctx, cmd)

    async def cancel(self, subject: Subject, money: MoneyWanted, *, gives_back: bool) -> UUID:
        ctx = self.shop.business.ctx
        async with self.factory(self.shop.id) as uow:
            if isinstance(subject, Run):
                return await cancel_session(
                    uow, ctx, subject.id, **_ILL, money=money, gives_back=gives_back
                )
            if isinstance(subject, Offer):
                return await cancel_series(uow, ctx, subject.id, **_ILL, money=money)
            if isinstance(subject, Place):
                return await cancel_seats(
                    uow, ctx, subject.run.id, [subject.id], **_ILL, money=money
                )
            return await cancel_purchase(uow, ctx, subject.booking_id, **_ILL, money=money)

    async def undo(self, cancellation_id: UUID) -> None:
        async with self.factory(self.shop.id) as uow:
            await undo_cancellation(uow, self.shop.business.ctx, cancellation_id)

    # --- who waits

    async def join(self, what: Run | Offer, guest: str, size: int) -> UUID:
        cmd = JoinWaitlist(
            kind="session" if isinstance(what, Run) else "series",
            subject_id=what.id,
            name=guest.title(),
            email=f"{guest}@guests.example",
            size=size,
        )
        async with self.factory(self.shop.id) as uow:
            return await join_waitlist(uow, await self._tenant(uow), cmd)

    async def leave_list(self, entry: Entry) -> None:
        async with self.factory(self.shop.id) as uow:
            await leave_waitlist(uow, entry.id)

    async def remove(self, entry: Entry) -> None:
        async with self.factory(self.shop.id) as uow:
            await remove_entry(uow, self.shop.business.ctx, entry.id)

    async def offer_by_hand(self, entry: Entry) -> None:
        async with self.factory(self.shop.id) as uow:
            await offer_by_hand(uow, self.shop.business.ctx, await self._tenant(uow), entry.id)

    async def deliver(self) -> int:
        """What the clock and the outbox have for now."""
        await serve_due(self.shop.services)
        await remind_of_transfers(self.shop.services)
        await charge_due_fees(self.shop.services)
        delivered = await work(self.shop.services, self.shop.id)
        await self._look_at_credits()
        return delivered + await work(self.shop.services, self.shop.id)

    async def _look_at_credits(self) -> None:
        """An hour early, if need be: how often the clock looks is no rule of the domain's."""
        async with self.factory(None) as uow:
            await uow.session.execute(
                _LOOK_NOW, {"tenant_id": self.shop.id, "now": uow.clock.now()}
            )
        await look_at_due_credits(self.shop.services)

    # --- what is so

    async def seats_of(self, order_id: UUID) -> list[SoldSeat]:
        """In the order in which they were written: session by session, and the party in each."""
        async with self.factory(self.shop.id) as uow:
            found = await uow.session.execute(_SEATS, {"order_id": order_id})
            return [SoldSeat(*row) for row in found]

    async def _tenant(self, uow: UnitOfWork) -> TenantSnapshot:
        return await tenant_snapshot(uow, self.shop.id, uow.clock.now())
