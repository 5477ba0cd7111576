"""Paying later parts of a price by hand, on a hosted page: the next one, or all that is left.

An order has one such page at most that can be paid. What the card is being charged with just now is
on none, and what is on one is not charged beside it: both are decided with the order locked.
Source: docs/algorithms/payment-plans.md.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import select

from src.billing.checkout import refused
from src.billing.commands.connect import find_account
from src.billing.commands.due import add_due
from src.billing.commands.ending import list_live_pages
from src.billing.commands.instalments import list_parts, refuse_unless_bought
from src.billing.commands.orders import lock_order
from src.billing.commands.settle import apply_page
from src.billing.domain.holds import page_expires_at
from src.billing.domain.kinds import PageKind, PageOutcome, PageState
from src.billing.domain.page_keys import page_key
from src.billing.domain.parts import STILL_TO_PAY
from src.billing.domain.retries import PAGE_DUE, next_page_check
from src.billing.gates import payments_not_ready, require_payments_ready_now
from src.billing.models import Instalment, Order, OrderLine, PaymentPage
from src.billing.page_body import Addresses, part_page_body
from src.billing.pages import PageCall, make_page
from src.billing.payable import already_paid, no_answer
from src.billing.processor import DefinitiveFailure, ProcessorError, Uncertain
from src.billing.queries.attempts import newest_page
from src.billing.queries.payment_settings import list_page_methods
from src.billing.settlement import close_page, settle_page
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _, use_locale
from src.platform.ids import new_id
from src.platform.services import Services

log = structlog.get_logger(__name__)

TRIES = 3


class _InTheWay(NamedTuple):
    """A page for other parts, which has to end first."""

    page_id: UUID


async def pay_parts_by_hand(
    services: Services,
    tenant_id: UUID,
    order_id: UUID,
    *,
    everything: bool,
    addresses: Addresses,
) -> str:
    """The address of the page that pays the next part, or `everything` that is left. Pressed again,
    it is the same page.

    Never call it inside a transaction. Raises: NotFound; Conflict `already_paid`, `being_charged`,
    `not_bought`, or a code of `payable`; Unavailable.
    """
    for _try in range(TRIES):
        found = await _prepare(services, tenant_id, order_id, everything, addresses)
        if isinstance(found, _InTheWay):
            try:
                await close_page(services, tenant_id, found.page_id)
            except Uncertain as doubt:
                raise no_answer() from doubt
            continue
        url = await _open(services, tenant_id, found)
        if url is not None:
            return url
    raise no_answer()


async def check_parts(services: Services, tenant_id: UUID, order_id: UUID) -> None:
    """Asks once how pages for parts stand, for a guest who comes back from one."""
    async with services.uow_factory(tenant_id) as uow:
        live = [page.id for page in await _live_part_pages(uow, order_id)]
    for page_id in live:
        try:
            await settle_page(services, tenant_id, page_id)
        except ProcessorError as error:
            log.warning("payment_check_failed", order_id=str(order_id), error=str(error))


async def has_paid_parts(uow: UnitOfWork, order_id: UUID) -> bool:
    """Whether a page for parts was paid whose money we do not know to be there yet."""
    live = await _live_part_pages(uow, order_id)
    return any(page.state == PageState.COMPLETE for page in live)


async def end_stale_pages(services: Services, tenant_id: UUID, order_id: UUID) -> None:
    """Ends the hosted pages that ask for a part which is not to be paid any more. What was paid
    there before goes back. Raises: Uncertain.
    """
    async with services.uow_factory(tenant_id) as uow:
        live = await _live_part_pages(uow, order_id)
        parts = await list_parts(uow, order_id) if live else []
    asked = {str(part.id) for part in parts if part.state in STILL_TO_PAY}
    for page in live:
        if page.kind == PageKind.PAGE and not asked.issuperset(page.parts or ()):
            await close_page(services, tenant_id, page.id)


async def _live_part_pages(uow: UnitOfWork, order_id: UUID) -> list[PaymentPage]:
    pages = [
        await uow.session.get_one(PaymentPage, (uow.tenant, page_id), populate_existing=True)
        for page_id in await list_live_pages(uow, order_id)
    ]
    return [page for page in pages if page.parts is not None]


async def _prepare(
    services: Services, tenant_id: UUID, order_id: UUID, everything: bool, addresses: Addresses
) -> PageCall | _InTheWay:
    async with services.uow_factory(tenant_id) as uow:
        order = await lock_order(uow, order_id)
        refuse_unless_bought(order)
        all_parts = await list_parts(uow, order_id)
        left = [part for part in all_parts if part.state in STILL_TO_PAY]
        if not left:
            raise already_paid()
        wanted = left if everything else left[:1]
        for page in await _live_part_pages(uow, order_id):
            if page.kind == PageKind.CARD:
                _refuse_while_charged(page, wanted)
            elif page.parts == [str(part.id) for part in wanted] and _is_to_be_had(page, services):
                return PageCall(row=page, is_replay=True)
            else:
                return _InTheWay(page.id)
        row = await _new_page(uow, services, order, wanted, len(all_parts), addresses)
        return PageCall(row=row, is_replay=False)


def _refuse_while_charged(page: PaymentPage, wanted: Sequence[Instalment]) -> None:
    if any(str(part.id) in (page.parts or ()) for part in wanted):
        raise Conflict(
            _("Your card is being charged for this just now. Please look again in a few minutes."),
            code="being_charged",
        )


def _is_to_be_had(page: PaymentPage, services: Services) -> bool:
    return page.state != PageState.COMPLETE and services.clock.now() < page.expires_at


async def _new_page(
    uow: UnitOfWork,
    services: Services,
    order: Order,
    wanted: Sequence[Instalment],
    number: int,
    addresses: Addresses,
) -> PaymentPage:
    await require_payments_ready_now(uow)
    account = await find_account(uow)
    if account is None:
        raise payments_not_ready()
    now, page_id = uow.clock.now(), new_id()
    expires_at, newest = page_expires_at(now), await newest_page(uow, order.id)
    page = PaymentPage(
        tenant_id=uow.tenant,
        id=page_id,
        order_id=order.id,
        attempt=newest.attempt + 1 if newest is not None else 1,
        kind=str(PageKind.PAGE),
        parts=[str(part.id) for part in wanted],
        account_id=account.account_id,
        idempotency_key=page_key(page_id),
        body=part_page_body(
            order,
            await _name(uow, order, wanted, number),
            sum(part.minor for part in wanted),
            page_id,
            expires_at,
            addresses,
            fee_bp=services.settings.platform_fee_bp,
            methods=await list_page_methods(uow),
        ),
        state=str(PageState.PENDING),
        expires_at=expires_at,
        created_at=now,
        called_at=now,
    )
    uow.session.add(page)
    await add_due(uow, PAGE_DUE, page_id, next_page_check(now, now))
    return page


async def _name(uow: UnitOfWork, order: Order, wanted: Sequence[Instalment], number: int) -> str:
    lines = await uow.session.scalars(
        select(OrderLine.description)
        .where(OrderLine.tenant_id == uow.tenant, OrderLine.order_id == order.id)
        .order_by(OrderLine.position)
    )
    things = ", ".join(dict.fromkeys(lines))[:180]
    first, last = wanted[0].number, wanted[-1].number
    with use_locale(order.locale):
        if first == last:
            return _("%(things)s · part %(part)s of %(of)s", things=things, part=first, of=number)
        return _(
            "%(things)s · parts %(first)s to %(last)s of %(of)s",
            things=things,
            first=first,
            last=last,
            of=number,
        )


async def _open(services: Services, tenant_id: UUID, call: PageCall) -> str | None:
    """None where it has ended meanwhile, and another may be made."""
    if call.row.state == PageState.OPEN and call.row.url is not None:
        return call.row.url
    try:
        found = await make_page(services, tenant_id, call)
    except Uncertain as doubt:
        raise no_answer() from doubt
    except DefinitiveFailure as failure:
        raise await refused(services, tenant_id, failure) from failure
    async with services.uow_factory(tenant_id) as uow:
        applied = await apply_page(uow, call.row.id, found)
    if applied.outcome == PageOutcome.PAID:
        raise already_paid()
    return found.url if applied.outcome == PageOutcome.OPEN else None
