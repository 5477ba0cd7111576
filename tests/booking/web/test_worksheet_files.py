"""Room for the files that guests send: how much is left, and how staff make more."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.queries.worksheet_consequences import worksheet_consequences
from src.platform.services import Services
from src.tenants.domain.entitlements import Limit
from src.tenants.domain.plans import Change, LimitChange
from src.tenants.models import AuditEntry
from tests.booking.web.pages import as_owner, send_again
from tests.booking.web.test_worksheets import a_link, fill
from tests.support.builders import Business, a_business
from tests.support.worksheets import PDF, a_sent_copy, a_worksheet, copies_of, files_of
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


async def keep_files(services: Services, business: Business, many: int) -> None:
    """Each sent with a copy of its own."""
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, business)
    anna = await a_customer(factory, business, name="Anna")
    async with factory(business.id) as uow:
        for _one in range(many):
            await a_sent_copy(uow, business, worksheet_id, anna)


async def test_staff_delete_a_file_that_was_sent_and_all_can_read_that_it_is_gone(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    await fill(client, path, q1="Yes", files={"q3": ("letter.pdf", PDF)})
    other, _copy = await a_link(services, lotus, worksheet_id, email="ben@x.example")
    await fill(client, other, q1="No", files={"q3": ("other.pdf", PDF)})
    file = next(one for one in await files_of(factory, lotus) if one.copy_id == copy_id)
    here = f"/app/{lotus.slug}/worksheets/{worksheet_id}/copies/{copy_id}"
    page = await client.get(here)
    done = await send_again(client, f"{here}/files/{file.id}/delete", page, {})
    assert done.headers["location"] == here
    shown = await client.get(here)
    assert "The file is deleted." in shown.text
    again = await send_again(client, f"{here}/files/{file.id}/delete", page, {})
    assert again.status_code == 404
    assert "There is no such file, or it was deleted." in again.text
    for at in (here, path, f"{here}/print"):
        read = await client.get(at)
        assert "The file was deleted by the business." in read.text, at
        assert "letter.pdf" not in read.text, at
    assert "/delete" not in shown.text
    assert [one.filename for one in await files_of(factory, lotus)] == ["other.pdf"]
    async with factory(lotus.id) as uow:
        wanted = AuditEntry.action == "worksheet.file_deleted"
        entries = await uow.session.scalars(select(AuditEntry.detail).where(wanted))
        assert list(entries) == [{"title": "Health", "file": "letter.pdf"}]
    # Of the other's copy nothing can be deleted by this one's address.
    (kept,) = await files_of(factory, lotus)
    await send_again(client, f"{here}/files/{kept.id}/delete", page, {})
    assert len(await files_of(factory, lotus)) == 1


async def test_a_file_that_its_guest_may_still_change_is_left_to_them(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    await fill(client, path, q1="Yes", files={"q3": ("letter.pdf", PDF)})
    here = f"/app/{lotus.slug}/worksheets/{worksheet_id}/copies/{copy_id}"
    stale = await client.get(here)
    (file,) = await files_of(factory, lotus)
    await send_again(client, f"{here}/reopen", stale, {"why": ""})
    await send_again(client, f"{here}/files/{file.id}/delete", stale, {})
    assert "It is with the guest just now" in (await client.get(here)).text
    assert len(await files_of(factory, lotus)) == 1
    assert (await copies_of(factory, lotus))[0].state == "reopened"


@pytest.mark.parametrize(
    ("many", "said"),
    [(23, None), (24, "There is room for 6 more files"), (30, "There is no room for files")],
)
async def test_the_list_says_when_the_room_for_files_runs_out(
    client: AsyncClient, services: Services, many: int, said: str | None
) -> None:
    small = await a_business(services.uow_factory, "small", plan="free", owner="Sam")
    await as_owner(client, services, small)
    await keep_files(services, small, many)
    page = await client.get(f"/app/{small.slug}/worksheets")
    assert f"{many} files are kept from guests, of 30" in page.text
    assert ("room for" in page.text.replace("has room for", "")) == (said is not None)
    assert said is None or said in page.text


async def test_a_smaller_plan_says_beforehand_that_it_has_too_little_room(
    services: Services, lotus: Business
) -> None:
    await keep_files(services, lotus, 3)
    for before, after, says in ((None, 2, 1), (None, 4, 0), (1, 2, 0), (2, None, 0)):
        limit = LimitChange(limit=Limit.BOOKINGS_PER_MONTH, before=before, after=after)
        change = Change(gained=(), lost=(), limits=(limit,))
        async with services.uow_factory(lotus.id) as uow:
            found = await worksheet_consequences(uow, change, uow.clock.now())
        assert len(found) == says, (before, after)
        assert all("3 files are kept from guests and the plan" in one.text for one in found)
