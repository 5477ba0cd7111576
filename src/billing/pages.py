"""Asking the processor for payment pages, outside of any transaction.

Every attempt is a row before it is a call. Whoever is unsure whether the call was done makes the
very same one again, and once its key is too old asks what exists instead.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from src.billing import page_calls
from src.billing.commands.due import drop_due
from src.billing.commands.settle import Ending, end_page, lock_page
from src.billing.domain.kinds import PageState
from src.billing.domain.retries import must_ask_first
from src.billing.models import Order, PaymentPage
from src.billing.processor import (
    ACCOUNT_OUT_OF_REACH,
    DefinitiveFailure,
    ProcessorPage,
    Uncertain,
)
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UnitOfWork
from src.platform.services import Services

CLOCK_SKEW = timedelta(minutes=10)
"""How far the processor's clock may be from ours when we look for a page by its age."""


class PageCall(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt's row, carried out of its transaction; `is_replay` when it was called before."""

    row: PaymentPage
    is_replay: bool


async def make_page(
    services: Services, tenant_id: UUID, call: PageCall, ending: Ending | None = None
) -> ProcessorPage:
    """The page of this attempt as the processor made it, now or at an earlier call.

    Raises: Uncertain; DefinitiveFailure, and then the attempt is marked as failed, unless the
    processor only refuses to talk about it. Its order ends with it as `ending` says; without one
    it lives on, for a guest who may try again.
    """
    try:
        return await _make_or_find(services, call)
    except DefinitiveFailure as failure:
        if failure.code == ACCOUNT_OUT_OF_REACH and call.is_replay:
            raise
        async with services.uow_factory(tenant_id) as uow:
            order, page = await lock_page(uow, call.row.id)
            if page.state == PageState.PENDING:
                page.error = str(failure)
                await fail_page(uow, order, page, ending)
        raise


async def fail_page(
    uow: UnitOfWork, order: Order, page: PaymentPage, ending: Ending | None
) -> None:
    if ending is not None:
        await end_page(uow, order, page, PageState.FAILED, ending)
        return
    page.state = str(PageState.FAILED)
    await drop_due(uow, page.id)


async def _make_or_find(services: Services, call: PageCall) -> ProcessorPage:
    gateway, row = services.port(StripeGateway), call.row
    called_at = row.called_at or row.created_at
    if must_ask_first(called_at, services.clock.now()):
        return await _find(services, call)
    try:
        return await page_calls.create(gateway, row)
    except Uncertain as doubt:
        if call.is_replay and doubt.answered:
            return await _find_or_doubt(services, call, doubt)
        raise


async def _find_or_doubt(services: Services, call: PageCall, doubt: Uncertain) -> ProcessorPage:
    """A fault stored under the key comes back for ever, although the page may exist."""
    try:
        return await _find(services, call)
    except DefinitiveFailure:
        if services.clock.now() > call.row.expires_at:
            raise
        raise doubt from None


async def _find(services: Services, call: PageCall) -> ProcessorPage:
    row = call.row
    called_at = row.called_at or row.created_at
    since, until = called_at - CLOCK_SKEW, row.expires_at + CLOCK_SKEW
    found = await page_calls.find(services.port(StripeGateway), row, since, until)
    if found is None:
        raise DefinitiveFailure("The processor knows no such page.", "never_made")
    return found
