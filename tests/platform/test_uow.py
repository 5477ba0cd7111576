"""One transaction, one tenant: nothing leaks, nothing is half-done."""

import pytest
from sqlalchemy import select, text

from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.mail.queue import Mail, queue_mail
from src.platform.outbox.models import OutboxRow
from tests.conftest import Committing

pytestmark = pytest.mark.anyio


def a_mail(key: str = "hello:1") -> Mail:
    return Mail(
        kind="hello",
        to_address="carl@example.com",
        subject="Hello",
        text="Hello, Carl.",
        html="<p>Hello, Carl.</p>",
        dedupe_key=key,
    )


async def test_rows_of_one_tenant_do_not_exist_for_another(uow_factory: UowFactory) -> None:
    mine, theirs = new_id(), new_id()
    async with uow_factory(mine) as uow:
        await queue_mail(uow, a_mail(), host="seatline.example")
    async with uow_factory(theirs) as uow:
        assert (await uow.session.scalars(select(MailRow))).all() == []
    async with uow_factory(mine) as uow:
        assert len((await uow.session.scalars(select(MailRow))).all()) == 1


async def test_without_a_tenant_no_tenant_row_exists(uow_factory: UowFactory) -> None:
    async with uow_factory(new_id()) as uow:
        await queue_mail(uow, a_mail(), host="seatline.example")
    async with uow_factory(None) as uow:
        assert await uow.session.scalar(text("SELECT count(*) FROM mails")) == 0


async def test_a_failed_command_leaves_neither_row_nor_event(committing: Committing) -> None:
    tenant = new_id()
    with pytest.raises(ZeroDivisionError):
        async with committing.uow_factory(tenant) as uow:
            await queue_mail(uow, a_mail(), host="seatline.example")
            await uow.settle()
            raise ZeroDivisionError
    async with committing.uow_factory(tenant) as uow:
        assert await uow.session.scalar(text("SELECT count(*) FROM mails")) == 0
        assert await uow.session.scalar(text("SELECT count(*) FROM outbox")) == 0


async def test_a_failed_attempt_leaves_what_came_before_it(committing: Committing) -> None:
    """Also nothing to be done right after, for a row that never was."""
    tenant = new_id()
    uow = committing.uow_factory(tenant)
    uow.followed = []
    async with uow:
        await queue_mail(uow, a_mail("hello:1"), host="seatline.example")
        with pytest.raises(ZeroDivisionError):
            async with uow.attempt():
                await queue_mail(uow, a_mail("hello:2"), host="seatline.example")
                await uow.settle()
                await queue_mail(uow, a_mail("hello:3"), host="seatline.example")
                raise ZeroDivisionError
    async with committing.uow_factory(tenant) as again:
        keys = (await again.session.scalars(select(MailRow.dedupe_key))).all()
        rows = (await again.session.scalars(select(OutboxRow.id))).all()
    assert keys == ["hello:1"]
    assert [one.outbox_id for one in uow.followed] == list(rows)


async def test_the_same_occasion_makes_one_mail(uow_factory: UowFactory) -> None:
    tenant = new_id()
    async with uow_factory(tenant) as uow:
        first = await queue_mail(uow, a_mail(), host="seatline.example")
        second = await queue_mail(uow, a_mail(), host="seatline.example")
    assert first is not None
    assert second is None
    async with uow_factory(tenant) as uow:
        rows = (await uow.session.scalars(select(OutboxRow))).all()
    assert [row.consumer for row in rows] == ["platform.send_mail"]
