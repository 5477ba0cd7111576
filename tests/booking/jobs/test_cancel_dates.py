"""Several chosen dates are cancelled together: all or none, everybody once, and a way back."""

from datetime import timedelta
from uuid import UUID

import pytest
from icalendar import Calendar
from sqlalchemy import select

from src.booking.commands.cancel import cancel_session, undo_cancellation
from src.booking.commands.cancel_dates import cancel_dates
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.domain.cancelling import MoneyChoice
from src.booking.models import Cancellation
from src.booking.queries.cancellations import get_progress
from src.platform.errors import Conflict
from src.platform.services import Services
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import taken
from tests.booking.commands.test_leave import refunds
from tests.booking.jobs.test_cancel_series import (
    UNDO,
    buys,
    is_on_sale,
    lotus,
    states,
    term,
)
from tests.support.builders import Business, Term
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work, work_through

__all__ = ["lotus", "term"]
pytestmark = pytest.mark.anyio


async def cancel(
    services: Services, lotus: Business, session_ids: list[UUID], money: MoneyWanted = NOTHING
) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        return await cancel_dates(
            uow, lotus.ctx, session_ids, reason="Repairs", undo_seconds=10, money=money
        )


async def logged(services: Services, lotus: Business, action: str) -> set[UUID | None]:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(
            select(AuditEntry.subject_id).where(AuditEntry.action == action)
        )
        return set(found)


async def test_chosen_dates_end_for_everybody_with_one_mail_each_and_the_others_stay(
    services: Services, lotus: Business, term: Term, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """Row 2-57: dates were cancelled one by one."""
    await buys(services, lotus, "series", term.series.id, "carl")
    await buys(services, lotus, "session", term.sessions[2].id, "eva")
    await work(services, lotus.id)
    mailer.sent.clear()
    ids = [term.sessions[2].id, term.sessions[0].id]
    cancellation_id = await cancel(services, lotus, ids, MoneyWanted(choice=MoneyChoice.FULL))
    assert await states(services, lotus) == ["cancelling", "scheduled", "cancelling"]
    await work_through(services, clock, lotus.id, UNDO)
    assert await states(services, lotus) == ["cancelled", "scheduled", "cancelled"]
    assert await taken(services.uow_factory, lotus.id) == [0, 1, 0]
    assert await is_on_sale(services, lotus, term), "other dates of the series are sold on"
    assert sorted(await refunds(services, lotus.id)) == [1500, 4000]
    told = {mail.to[0]: mail for mail in mailer.sent}
    assert len(mailer.sent) == len(told) == 2
    carls = next(mail for to, mail in told.items() if "carl@" in to)
    assert len(Calendar.from_ical(carls.attachments[0][1]).walk("VEVENT")) == 2
    async with services.uow_factory(lotus.id) as uow:
        done = await uow.session.get_one(Cancellation, (lotus.id, cancellation_id))
        progress = await get_progress(uow, cancellation_id)
    assert (done.state, done.total, done.done, done.seats_freed) == ("done", 2, 2, 3)
    assert progress.what.endswith(": 2 dates")
    assert progress.subject_path == f"series/{term.series.id}"
    assert await logged(services, lotus, "session.cancelled") == set(ids)


async def test_undoing_puts_all_of_them_on_sale_again(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    await buys(services, lotus, "series", term.series.id, "carl")
    ids = [one.id for one in term.sessions[:2]]
    cancellation_id = await cancel(services, lotus, ids)
    with pytest.raises(Conflict):
        await buys(services, lotus, "session", ids[1], "dora")
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    await work_through(services, clock, lotus.id, UNDO)
    assert await states(services, lotus) == ["scheduled"] * 3
    assert await taken(services.uow_factory, lotus.id) == [1, 1, 1]
    await buys(services, lotus, "session", ids[1], "dora")
    assert await logged(services, lotus, "session.cancellation_undone") == set(ids)


async def test_all_are_cancelled_or_none(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    ids = [one.id for one in term.sessions]
    with pytest.raises(Conflict, match="Choose"):
        await cancel(services, lotus, [])
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, ids[1], reason="Ill", undo_seconds=10)
    with pytest.raises(Conflict, match="just changed"):
        await cancel(services, lotus, ids)
    assert await states(services, lotus) == ["scheduled", "cancelling", "scheduled"]
    clock.advance(timedelta(days=30))
    with pytest.raises(Conflict, match="just changed"):
        await cancel(services, lotus, ids[:1])
