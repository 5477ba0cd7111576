"""Writing, publishing, giving and filling in worksheets."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from src.billing.commands.buy_package import BuyCommand
from src.billing.models import Order
from src.booking.commands.worksheet_copies import ask_for_orders, give_worksheet, reopen_copy
from src.booking.commands.worksheet_filling import fill_in
from src.booking.commands.worksheet_needs import SheetAskedBy, ask_for_worksheet
from src.booking.commands.worksheets import (
    change_question,
    change_worksheet,
    get_worksheet,
    move_question,
    publish_worksheet,
    set_worksheet_active,
    take_question_off,
)
from src.booking.domain.worksheets import AskedRule, CopyState, SheetKind, WorksheetDraft
from src.booking.events import SWAP
from src.booking.place_package import place_package
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.domain.entitlements import Entitlements, Limit
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import (
    Business,
    a_business,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.work import waiting, work
from tests.support.worksheets import (
    HEALTH,
    KNEES,
    a_file,
    a_worksheet,
    ask,
    copies_of,
    files_of,
    filling,
    publish_newest,
    sheet_versions_of,
)
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def given(factory: UowFactory, lotus: Business, worksheet_id: UUID, **more: Any) -> UUID:
    """To Anna, by staff; returns the id of her copy."""
    anna = await a_customer(factory, lotus, **{"name": "Anna", "email": "anna@x.example", **more})
    copy_id = new_id()
    async with factory(lotus.id) as uow:
        assert await give_worksheet(uow, lotus.ctx, copy_id, worksheet_id, anna)
    return copy_id


async def fill(
    factory: UowFactory,
    lotus: Business,
    copy_id: UUID,
    may: Entitlements | None = None,
    **more: Any,
) -> CopyState | None:
    may = may or lotus.ctx.here.entitlements
    async with factory(lotus.id) as uow:
        return await fill_in(uow, may, copy_id, filling(**more))


async def test_nothing_is_published_that_asks_nothing_or_is_the_same(
    uow_factory: UowFactory, lotus: Business
) -> None:
    empty = await a_worksheet(uow_factory, lotus, questions=(), is_published=False)
    with pytest.raises(Conflict, match="Add a question first"):
        await publish_newest(uow_factory, lotus, empty)
    worksheet_id = await a_worksheet(uow_factory, lotus)
    with pytest.raises(Conflict, match="Nothing differs from version 1"):
        await publish_newest(uow_factory, lotus, worksheet_id)


async def test_what_is_published_is_what_was_read(uow_factory: UowFactory, lotus: Business) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus, is_published=False)
    with pytest.raises(Conflict, match="changed meanwhile"):
        async with uow_factory(lotus.id) as uow:
            await publish_worksheet(uow, lotus.ctx, worksheet_id, "0" * 20)
    assert await sheet_versions_of(uow_factory, lotus) == []


async def test_questions_are_changed_moved_and_taken_off_in_the_draft_alone(
    uow_factory: UowFactory, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus)
    async with uow_factory(lotus.id) as uow:
        await move_question(uow, worksheet_id, "q3", up=True)
        await take_question_off(uow, worksheet_id, "q2")
        await change_question(uow, worksheet_id, ask("q1", "Do your hips hurt?"))
    async with uow_factory(lotus.id) as uow:
        draft = await get_worksheet(uow, worksheet_id)
        assert [one["label"] for one in draft.questions] == [
            "Do your hips hurt?",
            "The doctor's letter",
        ]
    (version,) = await sheet_versions_of(uow_factory, lotus)
    assert [one["key"] for one in version.questions] == ["q1", "q2", "q3"]
    with pytest.raises(NotFound):
        async with uow_factory(lotus.id) as uow:
            await move_question(uow, worksheet_id, "q2", up=True)


async def test_a_page_left_open_does_not_undo_what_another_changed(
    uow_factory: UowFactory, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus)
    with pytest.raises(Conflict, match="changed meanwhile"):
        async with uow_factory(lotus.id) as uow:
            await change_question(uow, worksheet_id, ask("q1", "New"), seen="0" * 20)
    with pytest.raises(Conflict, match="changed meanwhile"):
        async with uow_factory(lotus.id) as uow:
            await change_worksheet(uow, worksheet_id, WorksheetDraft(title="New"), seen="0" * 20)


async def test_the_program_cannot_change_a_version(
    uow_factory: UowFactory, lotus: Business
) -> None:
    await a_worksheet(uow_factory, lotus)
    for statement in (
        "UPDATE worksheet_versions SET title = 'x'",
        "DELETE FROM worksheet_versions",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with uow_factory(lotus.id) as uow:
                await uow.session.execute(text(statement))


async def test_staff_give_one_and_the_guest_gets_one_mail_with_the_link(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    anna = await a_customer(factory, lotus, name="Anna", email="anna@x.example")
    copy_id = new_id()
    for _press in range(2):
        async with factory(lotus.id) as uow:
            assert await give_worksheet(uow, lotus.ctx, copy_id, worksheet_id, anna)
    await work(services, lotus.id)
    (mail,) = mailer.sent
    assert mail.to == ["Anna <anna@x.example>"]
    assert "“Health”" in mail.subject
    assert f"/b/{lotus.slug}/worksheets/" in mail.body
    # Given once more it is the same copy, and the link goes out again.
    async with factory(lotus.id) as uow:
        assert not await give_worksheet(uow, lotus.ctx, new_id(), worksheet_id, anna)
    await work(services, lotus.id)
    assert len(mailer.sent) == 2
    assert [one.id for one in await copies_of(factory, lotus)] == [copy_id]


async def test_what_cannot_be_given_is_refused(uow_factory: UowFactory, lotus: Business) -> None:
    draft = await a_worksheet(uow_factory, lotus, is_published=False)
    worksheet_id = await a_worksheet(uow_factory, lotus)
    anna = await a_customer(uow_factory, lotus, name="Anna", email="anna@x.example")
    phone = await a_customer(uow_factory, lotus, name="Ben", email="", phone="+31201234567")
    for one, to, said in ((draft, anna, "not published"), (worksheet_id, phone, "e-mail address")):
        with pytest.raises(InvalidInput, match=said):
            async with uow_factory(lotus.id) as uow:
                await give_worksheet(uow, lotus.ctx, new_id(), one, to)
    assert await copies_of(uow_factory, lotus) == []


async def a_course(factory: UowFactory, lotus: Business) -> tuple[Any, Any]:
    service = await a_service(factory, lotus.id, price_type="free")
    return service, await a_series(factory, service, price_type="free", price_minor=0)


@pytest.mark.parametrize("rule", list(AskedRule))
async def test_a_booking_asks_once_for_each_customer_or_each_time(
    services: Services, lotus: Business, mailer: RememberingMailer, rule: AskedRule
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="free")
    worksheet_id = await a_worksheet(factory, lotus, rule=rule, service_ids=[service.id])
    await a_worksheet(factory, lotus, title="Draft", is_published=False, service_ids=[service.id])
    for days in (7, 14):
        session = await a_session(factory, service, in_days=days)
        await booked(factory, lotus, a_wish("session", session.id))
        await work(services, lotus.id)
    found = await copies_of(factory, lotus)
    often = 1 if rule is AskedRule.ONCE else 2
    assert [one.worksheet_id for one in found] == [worksheet_id] * often
    assert len({one.order_id for one in found}) == often
    assert len([one for one in mailer.sent if "To fill in" in one.subject]) == often
    assert await waiting(services, lotus.id) == []


async def test_a_course_asks_for_its_own_and_its_services_in_one_mail(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    service, term = await a_course(factory, lotus)
    await a_worksheet(factory, lotus, title="Health", service_ids=[service.id])
    await a_worksheet(factory, lotus, title="Goals", series_ids=[term.series.id])
    await a_worksheet(factory, lotus, title="Other", series_ids=[])
    await booked(factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    (mail,) = [one for one in mailer.sent if "To fill in" in one.subject]
    assert "“Goals”, “Health”" in mail.subject
    assert mail.body.count("/worksheets/") == 2


async def test_a_package_asks_when_it_is_bought(services: Services, lotus: Business) -> None:
    factory = services.uow_factory
    package = await a_package(factory, lotus.id, price_minor=0, pays=[])
    await a_worksheet(factory, lotus, package_ids=[package.id])
    wish = BuyCommand(
        package_id=package.id,
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
    )
    await place_package(services, as_guest(lotus), wish)
    await work(services, lotus.id)
    (copy,) = await copies_of(factory, lotus)
    assert copy.order_id is not None


async def test_nothing_is_asked_by_what_is_switched_off_or_by_a_swap(
    services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="free")
    session = await a_session(factory, service)
    worksheet_id = await a_worksheet(factory, lotus, service_ids=[service.id])
    async with factory(lotus.id) as uow:
        await set_worksheet_active(uow, lotus.ctx, worksheet_id, active=False)
    made = await booked(factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    async with factory(lotus.id) as uow:
        await set_worksheet_active(uow, lotus.ctx, worksheet_id, active=True)
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        order.source = SWAP
    async with factory(lotus.id) as uow:
        assert await ask_for_orders(uow, [made.order_id]) == {}
    assert await copies_of(factory, lotus) == []


async def test_answers_keep_the_words_of_the_questions_they_answered(
    uow_factory: UowFactory, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus)
    copy_id = await given(uow_factory, lotus, worksheet_id)
    assert await fill(uow_factory, lotus, copy_id) is CopyState.SENT
    async with uow_factory(lotus.id) as uow:
        await change_question(uow, worksheet_id, ask("q1", "Do your hips hurt?"))
    assert await publish_newest(uow_factory, lotus, worksheet_id) == 2
    (copy,) = await copies_of(uow_factory, lotus)
    first, _second = await sheet_versions_of(uow_factory, lotus)
    assert copy.version_id == first.id
    assert copy.answers[0]["label"] == KNEES.label


async def test_who_has_begun_goes_on_and_who_has_not_fills_in_the_newest(
    uow_factory: UowFactory, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus)
    begun = await given(uow_factory, lotus, worksheet_id)
    fresh = await given(uow_factory, lotus, worksheet_id, email="ben@x.example")
    assert await fill(uow_factory, lotus, begun, is_sending=False) is CopyState.BEGUN
    async with uow_factory(lotus.id) as uow:
        await take_question_off(uow, worksheet_id, "q2")
    await publish_newest(uow_factory, lotus, worksheet_id)
    for copy_id in (begun, fresh):
        assert await fill(uow_factory, lotus, copy_id) is CopyState.SENT
    first, second = await sheet_versions_of(uow_factory, lotus)
    used = {one.id: one.version_id for one in await copies_of(uow_factory, lotus)}
    assert used == {begun: first.id, fresh: second.id}


async def test_answers_to_what_was_shown_are_taken_though_another_was_published_since(
    uow_factory: UowFactory, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus)
    other = await a_worksheet(uow_factory, lotus, title="Other", questions=[ask("x", "X")])
    copy_id = await given(uow_factory, lotus, worksheet_id)
    shown, foreign = await sheet_versions_of(uow_factory, lotus)
    assert foreign.worksheet_id == other
    async with uow_factory(lotus.id) as uow:
        await take_question_off(uow, worksheet_id, "q1")
    await publish_newest(uow_factory, lotus, worksheet_id)
    assert await fill(uow_factory, lotus, copy_id, version_id=shown.id) is CopyState.SENT
    (copy,) = [one for one in await copies_of(uow_factory, lotus) if one.id == copy_id]
    assert copy.version_id == shown.id
    # The version of another worksheet is none that could have been shown.
    late = await given(uow_factory, lotus, worksheet_id, email="ben@x.example")
    await fill(uow_factory, lotus, late, version_id=foreign.id, typed={"x": ["no"]})
    (copy,) = [one for one in await copies_of(uow_factory, lotus) if one.id == late]
    assert copy.version_id not in (shown.id, foreign.id)


async def test_a_refused_answer_or_file_changes_nothing(
    uow_factory: UowFactory, lotus: Business
) -> None:
    copy_id = await given(uow_factory, lotus, await a_worksheet(uow_factory, lotus))
    good, bad = a_file(), a_file("letter.exe", b"MZ" + bytes(20))
    for typed, files, field in (
        ({}, {"q3": good}, "answers.q1"),
        ({"q1": ["Yes"], "q2": ["soon"]}, {"q3": good}, "answers.q2"),
        ({"q1": ["Yes"]}, {"q3": bad}, "answers.q3"),
        ({"q1": ["Yes"]}, {"q9": good}, "answers.q9"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await fill(uow_factory, lotus, copy_id, typed=typed, files=files)
        assert set(refused.value.fields) == {field}
    (copy,) = await copies_of(uow_factory, lotus)
    assert (copy.state, copy.answers, copy.saved_at) == ("asked", [], None)
    assert await files_of(uow_factory, lotus) == []


async def test_a_file_stays_is_replaced_and_taken_off(
    uow_factory: UowFactory, lotus: Business
) -> None:
    copy_id = await given(uow_factory, lotus, await a_worksheet(uow_factory, lotus))
    await fill(uow_factory, lotus, copy_id, files={"q3": a_file()}, is_sending=False)
    await fill(uow_factory, lotus, copy_id, is_sending=False)
    (kept,) = await files_of(uow_factory, lotus)
    assert kept.filename == "letter.pdf"
    other = a_file("other.txt", b"hello")
    await fill(uow_factory, lotus, copy_id, files={"q3": other}, is_sending=False)
    (kept,) = await files_of(uow_factory, lotus)
    assert (kept.filename, kept.content_type, kept.size) == ("other.txt", "text/plain", 5)
    await fill(uow_factory, lotus, copy_id, removed=frozenset({"q3"}))
    assert await files_of(uow_factory, lotus) == []
    (copy,) = await copies_of(uow_factory, lotus)
    assert [one["key"] for one in copy.answers] == ["q1"]


async def test_a_business_keeps_as_many_files_as_its_plan_has_room_for(
    uow_factory: UowFactory, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus)
    first = await given(uow_factory, lotus, worksheet_id)
    second = await given(uow_factory, lotus, worksheet_id, email="ben@x.example")
    may = Entitlements(
        plan_key="p",
        plan_name="P",
        features=frozenset(),
        limits={Limit.BOOKINGS_PER_MONTH: 1},
        trial_ends_at=None,
    )
    await fill(uow_factory, lotus, first, may, files={"q3": a_file()}, is_sending=False)
    await fill(uow_factory, lotus, first, may, files={"q3": a_file()}, is_sending=False)
    with pytest.raises(InvalidInput, match="marked fields") as refused:
        await fill(uow_factory, lotus, second, may, files={"q3": a_file()})
    assert "No file can be added" in refused.value.fields["answers.q3"]
    # Without a file it can be sent all the same.
    assert await fill(uow_factory, lotus, second, may) is CopyState.SENT


async def test_what_was_sent_stays_until_staff_open_it_again(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    copy_id = await given(factory, lotus, worksheet_id)
    await work(services, lotus.id)
    await fill(factory, lotus, copy_id)
    assert await fill(factory, lotus, copy_id, typed={"q1": ["No"]}) is None
    (copy,) = await copies_of(factory, lotus)
    assert copy.answers[0]["values"] == ["Yes"]
    clock.advance(timedelta(hours=1))
    for _press in range(2):
        async with factory(lotus.id) as uow:
            await reopen_copy(uow, lotus.ctx, worksheet_id, copy_id, "Which knee?")
    await work(services, lotus.id)
    assert len(mailer.sent) == 2
    assert "Which knee?" in mailer.sent[-1].body
    draft = {"typed": {"q1": ["Left"]}, "is_sending": False}
    assert await fill(factory, lotus, copy_id, **draft) is CopyState.REOPENED
    assert await fill(factory, lotus, copy_id, typed={"q1": ["Left"]}) is CopyState.SENT
    with pytest.raises(NotFound):
        async with factory(lotus.id) as uow:
            await reopen_copy(uow, lotus.ctx, new_id(), copy_id, "")


async def test_what_asks_for_one_has_to_be_ones_own(
    uow_factory: UowFactory, lotus: Business
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    service = await a_service(uow_factory, rival.id)
    worksheet_id = await a_worksheet(uow_factory, lotus)
    with pytest.raises(InvalidInput) as refused:
        async with uow_factory(lotus.id) as uow:
            asked = SheetAskedBy(service_ids=frozenset({service.id}))
            await ask_for_worksheet(uow, lotus.ctx, worksheet_id, asked)
    assert set(refused.value.fields) == {"service_ids"}


async def test_merging_moves_copies_and_files_and_does_not_ask_again(
    services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="free")
    worksheet_id = await a_worksheet(factory, lotus, service_ids=[service.id])
    copy_id = await given(factory, lotus, worksheet_id)
    await fill(factory, lotus, copy_id, files={"q3": a_file()})
    session = await a_session(factory, service)
    made = await booked(factory, lotus, a_wish("session", session.id))
    (copy,) = await copies_of(factory, lotus)
    async with factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, copy.customer_id, made.order.customer_id)
    await work(services, lotus.id)
    (copy,) = await copies_of(factory, lotus)
    (file,) = await files_of(factory, lotus)
    assert copy.customer_id == file.customer_id == made.order.customer_id


async def test_what_nobody_asked_is_not_kept(uow_factory: UowFactory, lotus: Business) -> None:
    worksheet_id = await a_worksheet(
        uow_factory, lotus, questions=[*HEALTH, ask("q4", "More", SheetKind.LONG)]
    )
    copy_id = await given(uow_factory, lotus, worksheet_id)
    await fill(uow_factory, lotus, copy_id, typed={"q1": ["a"], "q4": ["b\nc"], "nobody": ["asks"]})
    (copy,) = await copies_of(uow_factory, lotus)
    assert [one["values"] for one in copy.answers] == [["a"], ["b\nc"]]
