"""From a submitted form to a held or confirmed booking and the page to send the guest to.

Transactions and the processor's call take turns here, so this is called outside of any
transaction; pages and the JSON API both come through it. A form's token makes it one booking,
however often it is sent: the same content leads to the same hold and link, changed content takes
the old hold's place, if it can be had.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.orders import find_order_by_form_token, retire_form_token
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import Order
from src.billing.pay_choice import PayChoice, choice_for, pay_online
from src.billing.queries.cards import today_at
from src.billing.settlement import give_up_order
from src.booking.commands.book import (
    BookCommand,
    Booked,
    ask_quote,
    book,
)
from src.booking.guest_links import booking_path
from src.booking.models import Booking
from src.platform.errors import Conflict, DomainError, Unavailable
from src.platform.i18n import _
from src.platform.services import Services
from src.tenants.context import RequestContext

TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where the guest goes next. `payment_url` is None when nothing is left to pay online.

    `again` says that this very form had made the booking before.
    """

    order: Order
    booking_id: UUID
    guest_path: str
    payment_url: str | None
    again: bool = False

    @property
    def order_id(self) -> UUID:
        return self.order.id

    @property
    def reference(self) -> str:
        return self.order.reference


async def place_booking(
    services: Services,
    ctx: RequestContext,
    cmd: BookCommand,
    *,
    cancel_path: str | None = None,
    may_change: bool = True,
    pay: PayChoice | None = None,
) -> Placed:
    """Books, and gets the payment page where one is needed.

    A guest who leaves the payment page comes back to `cancel_path`, or else to the booking's own
    page, where the hold can be paid or given up; one who has paid comes to that page with `paid`.
    `pay` is how they want to, where it is to be paid online.
    Unless the form `may_change`, its token is for one request: changed content is refused.
    Raises: what `book` raises; Conflict for changed content; Unavailable when the payment page
    cannot be had just now: the hold then stands, and the same form sent again finds it.
    """
    for _try in range(TRIES):
        try:
            booked = await _book(services, ctx, cmd)
        except DomainError:
            # Whatever stands against it, this very form may have booked before: then the last
            # seat is its own, and the session's start or its full room no refusal.
            earlier = await earlier_order(services, ctx, cmd.form_token)
            if earlier is None:
                raise
            if not may_change and earlier.fingerprint != cmd.fingerprint():
                raise _used_before() from None
            if await _still_meant(services, ctx, earlier, cmd):
                same = Booked(order=earlier, booking_id=await _booking_of(services, ctx, earlier))
                return await _placed(services, ctx, same, cancel_path, pay, again=True)
        else:
            return await _placed(services, ctx, booked, cancel_path, pay, again=False)
    raise Unavailable(_("We are very busy just now. Please try again."), code="busy")


async def place_by_staff(services: Services, ctx: RequestContext, cmd: BookCommand) -> Booked:
    """Books for a guest, once however often the form is sent; no payment page is opened, since it
    is the guest who will open one from the mail.

    Raises: what `book` raises; Conflict for changed content while what was booked before stands.
    """
    for _try in range(TRIES):
        try:
            return await _book(services, ctx, cmd)
        except DomainError:
            earlier = await earlier_order(services, ctx, cmd.form_token)
            if earlier is None:
                raise
            if earlier.state not in (OrderState.OPEN, OrderState.CONFIRMED):
                await retire_token(services, ctx, earlier)
                continue
            if earlier.fingerprint != cmd.fingerprint():
                raise _booked_before() from None
            return Booked(order=earlier, booking_id=await _booking_of(services, ctx, earlier))
    raise Unavailable(_("We are very busy just now. Please try again."), code="busy")


def _booked_before() -> Conflict:
    return Conflict(
        _("This form has booked already. Open it anew to book something else."),
        code="already_submitted",
    )


def _used_before() -> Conflict:
    return Conflict(
        _("This idempotency key was used for a different booking."), code="idempotency_key_reused"
    )


async def earlier_order(services: Services, ctx: RequestContext, form_token: str) -> Order | None:
    """What this very form has made before, whatever became of it."""
    async with services.uow_factory(ctx.here.id) as uow:
        return await find_order_by_form_token(uow, form_token)


async def _booking_of(services: Services, ctx: RequestContext, order: Order) -> UUID:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await uow.session.execute(
            select(Booking.id).where(Booking.tenant_id == uow.tenant, Booking.order_id == order.id)
        )
        return found.scalar_one()


async def _book(services: Services, ctx: RequestContext, cmd: BookCommand) -> Booked:
    async with services.uow_factory(ctx.here.id) as uow:
        return await book(uow, ctx, cmd)


async def _still_meant(
    services: Services, ctx: RequestContext, order: Order, cmd: BookCommand
) -> bool:
    """Whether the form's earlier order answers this submit too.

    A confirmed one always does: a form books once. An open one does while its content is the
    same; otherwise it is given up, once what is wanted instead is found to be bookable. After a
    dead one the form starts afresh. Raises: what `book` refuses with; the hold then stands.
    """
    state = OrderState(order.state)
    if state is OrderState.OPEN and order.fingerprint != cmd.fingerprint():
        async with services.uow_factory(ctx.here.id) as uow:
            await ask_quote(uow, ctx, cmd, instead_of=order.id)
        state = await give_up_order(services, ctx.here.id, order.id)
    if state in (OrderState.OPEN, OrderState.CONFIRMED):
        return True
    await retire_token(services, ctx, order)
    return False


async def retire_token(services: Services, ctx: RequestContext, order: Order) -> None:
    """Lets the form of a dead order make another one."""
    async with services.uow_factory(ctx.here.id) as uow:
        await retire_form_token(uow, order.id)


async def _placed(
    services: Services,
    ctx: RequestContext,
    booked: Booked,
    cancel_path: str | None,
    pay: PayChoice | None,
    *,
    again: bool,
) -> Placed:
    order = booked.order
    path = booking_path(services.settings, ctx.here.slug, order)
    url = None
    if order.state == OrderState.OPEN and order.payment_mode == PaymentMode.ONLINE:
        url = await payment_url(services, ctx, order, path, cancel_path or path, pay)
    return Placed(
        order=order,
        booking_id=booked.booking_id,
        guest_path=path,
        payment_url=url,
        again=again,
    )


async def payment_url(
    services: Services,
    ctx: RequestContext,
    order: Order,
    path: str,
    cancel_path: str,
    pay: PayChoice | None = None,
) -> str | None:
    """None when the guest's own page at `path` tells it all: it was paid in the very moment of
    asking, a card did not pay, or the time is over.
    """
    absolute: Callable[[str], str] = services.settings.base_url.__add__
    return await pay_online(
        services,
        ctx.here.id,
        order.id,
        choice_for(order, pay),
        back_url=absolute(f"{path}?paid=1"),
        cancel_url=absolute(cancel_path),
        today_on=today_at(ctx.here.zone, services.clock.now()),
    )
