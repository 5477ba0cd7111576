"""Asking the processor how a payment stands, and letting the answer take effect.

Used by the webhook's job, by the page a guest comes back to, by the sweeper and by the reconcile
job: all of them only say which page to look at. Calls are made outside of any transaction.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

from src.billing import page_calls
from src.billing.commands.ending import (
    can_still_be_paid,
    cancel_open_order,
    expire_order,
    list_live_pages,
)
from src.billing.commands.open_items import raise_open_item
from src.billing.commands.orders import get_order, lock_order
from src.billing.commands.settle import (
    EXPIRED,
    Ending,
    apply_page,
    as_wanted,
    end_page,
    keep_wanted_end,
    lock_page,
)
from src.billing.domain.kinds import (
    CALLED_OFF_WHY,
    GIVEN_UP_WHY,
    LIVE_PAGES,
    RELEASED_WHY,
    OpenItemKind,
    OrderState,
    PageOutcome,
    PageState,
    PaymentMode,
)
from src.billing.models import Order, Payment, PaymentPage
from src.billing.pages import PageCall, make_page
from src.billing.payable import no_answer
from src.billing.processor import (
    DefinitiveFailure,
    PageStatus,
    ProcessorError,
    ProcessorPage,
    Uncertain,
)
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.tenants.context import RequestContext

log = structlog.get_logger(__name__)

GIVEN_UP = Ending(OrderState.CANCELLED, GIVEN_UP_WHY)
LEFT = Ending(OrderState.CANCELLED, GIVEN_UP_WHY, is_left=True)
"""Given up by a press, and not by a form that asks for something else instead."""


def released_by(ctx: RequestContext) -> Ending:
    """The business frees what it held for a guest; the log says who did."""
    return Ending(OrderState.CANCELLED, RELEASED_WHY, ctx.actor)


async def settle_page(services: Services, tenant_id: UUID, page_id: UUID) -> PageOutcome:
    """Fetches the page as it is now and lets it take effect; each effect happens once.

    A page that is still open although its order has ended is ended as well, but not one for later
    parts of what stands. One whose payment is
    written down has had its effect, and brings no other: nobody is asked about it.
    Raises: NotFound, Uncertain.
    """
    async with services.uow_factory(tenant_id) as uow:
        page = await _get_page(uow, page_id)
        if await _has_brought_money(uow, page):
            return PageOutcome.PAID
    return await _settle(services, tenant_id, page)


async def _settle(services: Services, tenant_id: UUID, page: PaymentPage) -> PageOutcome:
    if _never_was(page):
        return PageOutcome.ENDED
    try:
        found = await _look(services, tenant_id, page, None)
    except DefinitiveFailure as failure:
        return await _out_of_reach(services, tenant_id, page, failure, EXPIRED)
    async with services.uow_factory(tenant_id) as uow:
        applied = await apply_page(uow, page.id, found)
    is_in_vain = applied.order_state != OrderState.OPEN and page.parts is None
    if applied.outcome == PageOutcome.OPEN and is_in_vain:
        return await close_page(services, tenant_id, page.id)
    if applied.outcome == PageOutcome.DECLINED:
        await _end_declined(services, page, found.id)
    return applied.outcome


async def _end_declined(services: Services, page: PaymentPage, processor_id: str) -> None:
    """Nobody can pay a card's attempt any more that its bank has refused, for nobody will ask for
    it again; it is ended all the same, so that it does not wait in the business's lists.
    """
    try:
        await page_calls.end(services.port(StripeGateway), page, processor_id)
    except ProcessorError as error:
        log.warning("declined_not_ended", page_id=str(page.id), error=str(error))


async def _has_brought_money(uow: UnitOfWork, page: PaymentPage) -> bool:
    """A page is paid once at most, and what its payment sets off commits together with it."""
    if page.state != PageState.COMPLETE:
        return False
    payment_id = await uow.session.scalar(
        select(Payment.id)
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == page.order_id,
            Payment.page_id == page.id,
        )
        .limit(1)
    )
    return payment_id is not None


def _never_was(page: PaymentPage) -> bool:
    """A failed attempt without a page; one that has a page was only out of reach for a while."""
    return page.state == PageState.FAILED and page.processor_id is None


async def close_page(
    services: Services, tenant_id: UUID, page_id: UUID, ending: Ending = EXPIRED
) -> PageOutcome:
    """Ends the page at the processor, so that it cannot be paid any more; if it turns out paid,
    the order is fulfilled instead. An open order without another page ends as `ending` says.

    Raises: NotFound, Uncertain.
    """
    page = await _page(services, tenant_id, page_id)
    if _never_was(page):
        return PageOutcome.ENDED
    try:
        found = await _end_at_processor(services, tenant_id, page, ending)
    except DefinitiveFailure as failure:
        return await _out_of_reach(services, tenant_id, page, failure, ending)
    async with services.uow_factory(tenant_id) as uow:
        return (await apply_page(uow, page_id, found, ending)).outcome


async def check_payment(services: Services, tenant_id: UUID, order_id: UUID) -> None:
    """Asks once how the order's payment stands, for the page a guest comes back to.

    A processor that does not answer is no reason to show no page: then nothing changes.
    """
    async with services.uow_factory(tenant_id) as uow:
        order = await get_order(uow, order_id)
        if order.state == OrderState.CONFIRMED:
            return
        pages = [await _get_page(uow, one) for one in await list_live_pages(uow, order_id)]
    for page in pages:
        try:
            await _settle(services, tenant_id, page)
        except ProcessorError as error:
            log.warning("payment_check_failed", order_id=str(order_id), error=str(error))


async def end_hold(
    services: Services, tenant_id: UUID, order_id: UUID, ending: Ending = EXPIRED
) -> OrderState:
    """Closes the order's pages, then frees what it holds; returns what became of the order.

    How it is to end is kept before a page is closed, for whoever hears of that first. It may come
    back confirmed, since someone paid meanwhile, or still open, while a slow payment is on its way.
    Raises: NotFound, Uncertain.
    """
    async with services.uow_factory(tenant_id) as uow:
        order = await get_order(uow, order_id)
        if order.state != OrderState.OPEN:
            return OrderState(order.state)
        page_ids = await list_live_pages(uow, order_id)
        if page_ids and ending != EXPIRED:
            await keep_wanted_end(uow, order_id, ending)
    for page_id in page_ids:
        await close_page(services, tenant_id, page_id, ending)
    async with services.uow_factory(tenant_id) as uow:
        # Pages are begun under this lock, so none comes between the question and the end.
        order = await lock_order(uow, order_id)
        if order.state == OrderState.OPEN and not await can_still_be_paid(uow, order_id):
            ending = as_wanted(order, ending)
            if ending == EXPIRED and _was_prolonged(order, services.clock.now()):
                return OrderState.OPEN
            await ending.note(uow, order_id)
            end = cancel_open_order if ending.state == OrderState.CANCELLED else expire_order
            await end(uow, order_id, ending.why, services.clock.now())
        return OrderState(order.state)


def _was_prolonged(order: Order, now: datetime) -> bool:
    """Whether the time to transfer was made longer since somebody saw that it was over."""
    is_transfer = order.payment_mode == PaymentMode.TRANSFER
    return is_transfer and order.hold_expires_at is not None and order.hold_expires_at > now


async def give_up_order(
    services: Services, tenant_id: UUID, order_id: UUID, ending: Ending = GIVEN_UP
) -> OrderState:
    """The guest leaves the payment page for good, or changed what the hold was for; or the business
    releases what it held for them. Returns what became of the order, as `end_hold` does.

    Raises: NotFound; Unavailable while the processor does not answer.
    """
    try:
        return await end_hold(services, tenant_id, order_id, ending)
    except Uncertain as doubt:
        raise no_answer() from doubt


async def expire_pages_for_orders(
    services: Services, tenant_id: UUID, order_ids: Iterable[UUID], *, why: str = CALLED_OFF_WHY
) -> dict[UUID, OrderState]:
    """Ends holds because what they hold is being cancelled; call it before seats are freed.

    Returns what became of each order. Orders that are not open stay as they are. One whose page
    the processor could not be asked about stays open and is left for the next try.
    """
    became: dict[UUID, OrderState] = {}
    for order_id in order_ids:
        try:
            ending = Ending(OrderState.CANCELLED, why)
            became[order_id] = await end_hold(services, tenant_id, order_id, ending)
        except Uncertain as doubt:
            log.warning("hold_not_ended", order_id=str(order_id), error=str(doubt))
            became[order_id] = OrderState.OPEN
    return became


async def _page(services: Services, tenant_id: UUID, page_id: UUID) -> PaymentPage:
    async with services.uow_factory(tenant_id) as uow:
        return await _get_page(uow, page_id)


async def _get_page(uow: UnitOfWork, page_id: UUID) -> PaymentPage:
    page = await uow.session.get(PaymentPage, {"tenant_id": uow.tenant, "id": page_id})
    if page is None:
        raise NotFound(_("There is no such payment."))
    return page


async def _look(
    services: Services, tenant_id: UUID, page: PaymentPage, ending: Ending | None
) -> ProcessorPage:
    """The page as it is now. One whose making is in doubt is made by the same attempt again, so
    that what the processor may know of it comes to light.
    """
    page_id = page.processor_id
    if page_id is None:
        call = PageCall(row=page, is_replay=True)
        page_id = (await make_page(services, tenant_id, call, ending)).id
    return await page_calls.retrieve(services.port(StripeGateway), page, page_id)


async def _end_at_processor(
    services: Services, tenant_id: UUID, page: PaymentPage, ending: Ending
) -> ProcessorPage:
    """What the page is after we asked to end it; one that was paid meanwhile cannot be ended."""
    found = await _look(services, tenant_id, page, ending)
    if found.status != PageStatus.OPEN:
        return found
    gateway = services.port(StripeGateway)
    try:
        return await page_calls.end(gateway, page, found.id)
    except DefinitiveFailure:
        return await page_calls.retrieve(gateway, page, found.id)


async def _out_of_reach(
    services: Services,
    tenant_id: UUID,
    page: PaymentPage,
    failure: DefinitiveFailure,
    ending: Ending,
) -> PageOutcome:
    """The processor refuses to show the page, as it does once a business has disconnected.

    Until its time is over it may be paid, so it stays; after that it is given up, and a person is
    asked to look for the money, since we cannot.
    """
    async with services.uow_factory(tenant_id) as uow:
        order, row = await lock_page(uow, page.id)
        if row.state not in LIVE_PAGES:
            return PageOutcome.ENDED
        if services.clock.now() <= row.expires_at:
            return PageOutcome.OPEN
        row.error = str(failure)
        await _ask_a_person(uow, row, order.reference)
        await end_page(uow, order, row, PageState.FAILED, ending)
    return PageOutcome.ENDED


async def _ask_a_person(uow: UnitOfWork, page: PaymentPage, reference: str) -> None:
    facts = {"reference": reference}
    await raise_open_item(uow, OpenItemKind.PAGE_OUT_OF_REACH, page.id, page.order_id, facts)
