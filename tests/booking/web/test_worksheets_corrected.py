"""A worksheet that was opened again: what was sent stays until the correction is sent."""

import csv
import io
from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from tests.booking.web.pages import send_again
from tests.booking.web.test_worksheets import ANNA, a_link, fill
from tests.support.builders import Business
from tests.support.clock import FrozenClock
from tests.support.worksheets import PDF, a_worksheet, files_of

pytestmark = pytest.mark.anyio


async def test_staff_read_what_was_sent_until_the_correction_is(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    worksheet_id = await a_worksheet(services.uow_factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    await fill(client, path, q1="At first", q2="2999-01-01", files={"q3": ("old.pdf", PDF)})
    sheet = f"/app/{lotus.slug}/worksheets/{worksheet_id}"
    one = f"{sheet}/copies/{copy_id}"
    clock.advance(timedelta(hours=1))
    await send_again(client, f"{one}/reopen", await client.get(one), {"why": "Which year?"})
    for draft in ("", "By now"):
        if draft:
            new = {"q3": ("new.pdf", PDF + b"2")}
            await fill(client, path, do="save", q1=draft, q2="1980-01-01", files=new)
        shown = await client.get(one)
        assert "until they send the correction" in shown.text
        assert ("begun to correct it, and saved that on" in shown.text) == bool(draft)
        for at in (one, f"{one}/print"):
            page = await client.get(at)
            assert "At first" in page.text, at
            assert "old.pdf" in page.text, at
            assert "By now" not in page.text, at
            assert "new.pdf" not in page.text, at
        listed = await client.get(sheet)
        assert "Nobody has filled it in yet" not in listed.text
        assert "Open again" in listed.text.split('id="answers"')[1]
        file = await send_again(client, f"{sheet}/export", listed, {})
        _header, row = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
        assert [row[1], *row[6:]] == [ANNA, "At first", "2999-01-01", "old.pdf"]
    form = await client.get(path)
    assert 'value="By now"' in form.text
    assert "new.pdf" in form.text
    assert "old.pdf" not in form.text
    await fill(client, path)
    page = await client.get(one)
    for said in ("By now", "new.pdf"):
        assert said in page.text
    for said in ("At first", "old.pdf", "until they send the correction"):
        assert said not in page.text


async def test_nobody_but_the_guest_has_the_file_of_a_draft_and_each_keeps_theirs(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    await fill(client, path, q1="Yes", files={"q3": ("old.pdf", PDF)})
    (old,) = await files_of(factory, lotus)
    one = f"/app/{lotus.slug}/worksheets/{worksheet_id}/copies/{copy_id}"
    await send_again(client, f"{one}/reopen", await client.get(one), {})
    await fill(client, path, do="save", files={"q3": ("new.pdf", PDF + b"2")})
    (new,) = [file for file in await files_of(factory, lotus) if file.id != old.id]
    assert (await client.get(f"{one}/files/{new.id}")).status_code == 404
    assert (await client.get(f"{one}/files/{old.id}")).content == PDF
    assert (await client.get(f"{path}/files/{new.id}")).content == PDF + b"2"
    # Taken off, the file is gone for the guest, and for staff only with the sending.
    await fill(client, path, do="save", removed="q3")
    left = (await client.get(path)).text
    assert "old.pdf" not in left
    assert "new.pdf" not in left
    assert [file.id for file in await files_of(factory, lotus)] == [old.id]
    assert "old.pdf" in (await client.get(one)).text
    await fill(client, path)
    assert await files_of(factory, lotus) == []
    assert "old.pdf" not in (await client.get(one)).text
