"""What of a worksheet is refused when it is sent, and what is kept of it all the same."""

import pytest
from httpx import AsyncClient

from src.booking.commands.worksheets import add_question, take_question_off
from src.booking.domain.worksheets import SheetKind
from src.booking.web.guest_worksheets import LARGEST_BODY
from src.booking.worksheet_files import LARGEST_FILE
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.web.test_worksheets import a_link, fill
from tests.support.builders import Business
from tests.support.visitor import forms_of
from tests.support.worksheets import (
    ALL_KINDS,
    KNEES,
    PDF,
    SINCE,
    a_worksheet,
    ask,
    copies_of,
    files_of,
    publish_newest,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (("big.pdf", PDF.ljust(LARGEST_FILE + 1, b" ")), "This file is too large: at most 5"),
        (("page.pdf", b"<html>"), "This kind of file cannot be used here."),
        (("empty.pdf", b""), "This file is empty."),
    ],
    ids=["large", "kind", "empty"],
)
async def test_a_bad_file_is_refused_at_its_field_and_nothing_is_half_done(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    file: tuple[str, bytes],
    said: str,
) -> None:
    factory = services.uow_factory
    questions = [*ALL_KINDS, ask("more", "Another", SheetKind.FILE)]
    worksheet_id = await a_worksheet(factory, lotus, questions=questions)
    path, _copy = await a_link(services, lotus, worksheet_id)
    for do in ("send", "save"):
        files = {"file": file, "more": ("good.pdf", PDF)}
        refused = await fill(client, path, do=do, files=files, short="Zo")
        assert refused.status_code == 422
        assert said in refused.text.split('id="f-answers-file-error"')[1][:600]
        assert 'value="Zo"' in refused.text
    assert await files_of(factory, lotus) == []
    (copy,) = await copies_of(factory, lotus)
    assert copy.state == "asked"


async def test_a_good_file_need_not_be_chosen_again_when_an_answer_is_refused(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(services.uow_factory, lotus)
    path, _copy = await a_link(services, lotus, worksheet_id)
    refused = await fill(client, path, files={"q3": ("letter.pdf", PDF)}, q2="2026-01-02")
    assert refused.status_code == 422
    assert "Please answer this question." in refused.text
    assert "letter.pdf" in refused.text
    sent = await fill(client, path, page=refused, q1="Yes")
    assert sent.status_code == 303
    (file,) = await files_of(services.uow_factory, lotus)
    assert file.filename == "letter.pdf"


async def test_a_file_that_takes_the_place_of_another_is_not_taken_off_by_the_next_try(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(services.uow_factory, lotus)
    path, _copy = await a_link(services, lotus, worksheet_id)
    await fill(client, path, do="save", files={"q3": ("former.pdf", PDF)})
    refused = await fill(client, path, removed="q3", files={"q3": ("letter.pdf", PDF)})
    assert refused.status_code == 422
    assert "Take “letter.pdf” off" in refused.text
    sent = await fill(client, path, page=refused, q1="Yes")
    assert sent.status_code == 303, sent.text
    (file,) = await files_of(services.uow_factory, lotus)
    assert file.filename == "letter.pdf"


async def test_what_is_to_be_taken_off_stays_ticked_where_nothing_was_kept(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(services.uow_factory, lotus)
    path, _copy = await a_link(services, lotus, worksheet_id)
    await fill(client, path, do="save", files={"q3": ("former.pdf", PDF)})
    refused = await fill(client, path, removed="q3")
    assert refused.status_code == 422
    sent = await fill(client, path, page=refused, q1="Yes")
    assert sent.status_code == 303
    assert await files_of(services.uow_factory, lotus) == []


async def test_a_body_that_the_server_does_not_read_is_refused_at_the_fields_for_files(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(services.uow_factory, lotus)
    path, _copy = await a_link(services, lotus, worksheet_id)
    await fill(client, path, do="save", q1="Yes")
    huge = ("huge.pdf", PDF.ljust(LARGEST_BODY + 1, b" "))
    refused = await fill(client, path, files={"q3": huge}, q1="No")
    assert refused.status_code == 303
    page = await client.get(refused.headers["location"])
    assert "nothing of it is saved" in page.text
    assert "What you typed is still there" not in page.text
    assert "too large to be sent" in page.text.split('id="f-answers-q3-error"')[1][:600]
    assert 'value="Yes"' in page.text, "what was saved before is still there"
    assert await files_of(services.uow_factory, lotus) == []


async def test_a_refused_form_stays_in_the_version_that_was_filled_in(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus, questions=(KNEES, SINCE))
    path, _copy = await a_link(services, lotus, worksheet_id)
    opened = await client.get(path)
    async with factory(lotus.id) as uow:
        await add_question(uow, worksheet_id, ask("q5", "Your hips?", required=True))
        await take_question_off(uow, worksheet_id, "q1")
    assert await publish_newest(factory, lotus, worksheet_id) == 2
    refused = await fill(client, path, page=opened, q2="2026-01-02")
    assert refused.status_code == 422
    assert "Please answer this question." in refused.text
    assert "Do your knees hurt?" in refused.text
    assert "Your hips?" not in refused.text
    sent = await fill(client, path, page=refused, q1="Yes")
    assert sent.status_code == 303, sent.text
    (copy,) = await copies_of(factory, lotus)
    assert [one["key"] for one in copy.answers] == ["q1", "q2"]


async def test_a_version_that_never_was_gives_way_to_the_one_that_is_shown(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """The answers that come next are to what the page showed."""
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, _copy = await a_link(services, lotus, worksheet_id)
    opened = await client.get(path)
    [form] = [form for form in forms_of(opened) if "version" in form.fields]
    shown = form.fields["version"]
    for wrong in ("", "nothing", str(new_id()), "x" * 50):
        data = form.filled({"version": wrong, "do": "send"})
        refused = await client.post(path, data=data, files={"nothing": ("", b"")})
        assert refused.status_code == 422
        [again] = [form for form in forms_of(refused) if "version" in form.fields]
        assert again.fields["version"] == shown
