"""Posts by mail: each member once, nobody who does without, who joined later or has gone."""

from datetime import timedelta
from email.utils import parseaddr
from uuid import UUID

import pytest
from sqlalchemy import func, select

from src.booking.commands.erase_customer import erase_customer
from src.booking.commands.group_members import remove_member
from src.booking.commands.group_posts import change_post, delete_post, publish_post
from src.booking.commands.groups import set_group_active
from src.booking.domain.groups import PostDraft
from src.booking.events import GroupPosted
from src.booking.jobs import groups as job
from src.booking.models import GroupMember, GroupPost, GroupPostMail
from src.booking.queries.person import find_person, read_person
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.mail_choices import choose_mails
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.models import MailWording, Tenant
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.collections import a_customer
from tests.support.groups import a_group, a_group_member, a_post
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example")


@pytest.fixture
async def group_id(services: Services, lotus: Business) -> UUID:
    return await a_group(services.uow_factory, lotus)


async def joins(services: Services, lotus: Business, group_id: UUID, name: str) -> UUID:
    """A new customer of that name; the id of the customer."""
    address = f"{name}@example.com"
    one = await a_customer(services.uow_factory, lotus.id, address, established=False)
    await a_group_member(services.uow_factory, lotus, group_id, one)
    return one


def addresses(mailer: RememberingMailer) -> list[str]:
    return sorted(parseaddr(mail.to[0])[1] for mail in mailer.sent)


async def test_each_member_gets_it_once_in_chunks_with_a_way_out(
    services: Services,
    lotus: Business,
    group_id: UUID,
    mailer: RememberingMailer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job, "CHUNK_READERS", 2)
    for number in range(5):
        await joins(services, lotus, group_id, f"g{number}")
    post_id = await a_post(services.uow_factory, lotus, group_id, mail=True)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        uow.record(GroupPosted(post_id=post_id))
    await work(services, lotus.id)
    assert addresses(mailer) == [f"g{number}@example.com" for number in range(5)]
    mail = mailer.sent[0]
    assert mail.subject == "We meet on the roof – Early birds"
    assert "Bring something warm, Carl Guest." in mail.body
    assert f"/b/lotus/me/groups/early-birds/posts/{post_id}" in mail.body
    assert "/b/lotus/me/mails/" in mail.body
    assert "/b/lotus/me/mails/" in mail.headers["List-Unsubscribe"]


async def test_without_the_tick_nothing_is_mailed(
    services: Services, lotus: Business, group_id: UUID, mailer: RememberingMailer
) -> None:
    await joins(services, lotus, group_id, "carl")
    await a_post(services.uow_factory, lotus, group_id)
    await work(services, lotus.id)
    assert mailer.sent == []


async def test_who_does_without_joined_later_or_was_taken_off_gets_none(
    services: Services,
    lotus: Business,
    group_id: UUID,
    mailer: RememberingMailer,
    clock: FrozenClock,
) -> None:
    await joins(services, lotus, group_id, "stays")
    without = await joins(services, lotus, group_id, "without")
    gone = await joins(services, lotus, group_id, "gone")
    off = await a_group_member(services.uow_factory, lotus, group_id, gone)
    async with services.uow_factory(lotus.id) as uow:
        await choose_mails(uow, without, MailTopic.GROUPS, wants=False)
    await a_post(services.uow_factory, lotus, group_id, mail=True)
    async with services.uow_factory(lotus.id) as uow:
        await remove_member(uow, lotus.ctx, group_id, off)
    clock.advance(timedelta(seconds=1))
    await joins(services, lotus, group_id, "later")
    await work(services, lotus.id)
    assert addresses(mailer) == ["stays@example.com"]


async def test_who_is_merged_between_is_not_written_to_twice(
    services: Services, lotus: Business, group_id: UUID, mailer: RememberingMailer
) -> None:
    first = await joins(services, lotus, group_id, "first")
    post_id = await a_post(services.uow_factory, lotus, group_id, mail=True)
    await work(services, lotus.id)
    second = await joins(services, lotus, group_id, "second")
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, first, second)
        uow.record(GroupPosted(post_id=post_id))
    await work(services, lotus.id)
    assert addresses(mailer) == ["first@example.com"]
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(select(func.count()).select_from(GroupPostMail)) == 1


@pytest.mark.parametrize("how", ["deleted", "off", "closed"])
async def test_what_nobody_can_read_any_more_is_not_mailed(
    services: Services, lotus: Business, group_id: UUID, mailer: RememberingMailer, how: str
) -> None:
    await joins(services, lotus, group_id, "carl")
    post_id = await a_post(services.uow_factory, lotus, group_id, mail=True)
    async with services.uow_factory(lotus.id) as uow:
        if how == "deleted":
            await delete_post(uow, lotus.ctx, group_id, post_id)
        elif how == "off":
            await set_group_active(uow, lotus.ctx, group_id, active=False)
        else:
            (await uow.session.get_one(Tenant, lotus.id)).status = "closed"
    await work(services, lotus.id)
    assert mailer.sent == []


async def test_an_edited_post_says_so_and_is_mailed_as_it_stands_then(
    services: Services, lotus: Business, group_id: UUID, mailer: RememberingMailer
) -> None:
    await joins(services, lotus, group_id, "carl")
    post_id = await a_post(services.uow_factory, lotus, group_id, mail=True)
    same = PostDraft(
        title="We meet on the roof",
        body="On Saturday.\r\n\r\nBring something warm, {customer_name}.",
    )
    async with services.uow_factory(lotus.id) as uow:
        await change_post(uow, lotus.ctx, group_id, post_id, same)
        assert (await uow.session.get_one(GroupPost, (lotus.id, post_id))).edited_at is None
        draft = PostDraft(title="We meet inside", body="It rains.")
        await change_post(uow, lotus.ctx, group_id, post_id, draft)
        assert (await uow.session.get_one(GroupPost, (lotus.id, post_id))).edited_at is not None
    await work(services, lotus.id)
    assert [mail.subject for mail in mailer.sent] == ["We meet inside – Early birds"]
    async with services.uow_factory(lotus.id) as uow:
        await change_post(uow, lotus.ctx, group_id, post_id, PostDraft(title="Sun", body="Up."))
    await work(services, lotus.id)
    assert len(mailer.sent) == 1, "no mail is sent again"


async def test_the_export_says_which_group_it_was_and_what_was_written(
    services: Services, lotus: Business, group_id: UUID
) -> None:
    carl = await joins(services, lotus, group_id, "carl")
    dora = await joins(services, lotus, group_id, "dora")
    post_id = await a_post(services.uow_factory, lotus, group_id, mail=True)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        told = await read_person(uow, await find_person(uow, carl))
        for key in ("group_members", "group_sources", "group_post_mails"):
            assert [one["group"] for one in told[key]] == ["Early birds"], key
        [mailed] = told["group_post_mails"]
        assert (mailed["post_id"], mailed["title"]) == (post_id, "We meet on the roof")
        await erase_customer(uow, lotus.ctx, carl, "carl@example.com")
    async with services.uow_factory(lotus.id) as uow:
        left = select(GroupMember.customer_id).join(
            GroupPostMail, GroupPostMail.member_id == GroupMember.id
        )
        assert list(await uow.session.scalars(left)) == [dora]


async def test_a_business_words_it_with_the_posts_own_paragraphs(
    services: Services, lotus: Business, group_id: UUID, mailer: RememberingMailer
) -> None:
    await joins(services, lotus, group_id, "carl")
    async with services.uow_factory(lotus.id) as uow:
        wording = MailWording(
            tenant_id=lotus.id,
            id=new_id(),
            kind="group_post",
            locale="en",
            subject="{group}: {title}",
            body="Dear {customer_name}\n\n{post}\n\n{booking_link}",
            changed_at=uow.clock.now(),
        )
        uow.session.add(wording)
    await a_post(services.uow_factory, lotus, group_id, mail=True)
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.subject == "Early birds: We meet on the roof"
    assert "On Saturday.\n\nBring something warm, Carl Guest.\n\n" in mail.body


async def test_what_will_not_do_is_said_at_its_field(
    services: Services, lotus: Business, group_id: UUID
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        draft = PostDraft(title=" ", body="Hello {nobody}")
        with pytest.raises(InvalidInput) as refused:
            await publish_post(uow, lotus.ctx, group_id, new_id(), draft, mail=False)
        assert set(refused.value.fields) == {"title", "body"}
        await set_group_active(uow, lotus.ctx, group_id, active=False)
        good = PostDraft(title="Hello", body="You")
        with pytest.raises(Conflict):
            await publish_post(uow, lotus.ctx, group_id, new_id(), good, mail=False)


async def test_the_same_form_twice_is_one_post_and_another_groups_is_not_found(
    services: Services, lotus: Business, group_id: UUID
) -> None:
    other = await a_group(services.uow_factory, lotus, title="Others")
    post_id, good = new_id(), PostDraft(title="Hello", body="You")
    async with services.uow_factory(lotus.id) as uow:
        for _twice in range(2):
            await publish_post(uow, lotus.ctx, group_id, post_id, good, mail=False)
        assert await uow.session.scalar(select(func.count()).select_from(GroupPost)) == 1
        with pytest.raises(NotFound):
            await change_post(uow, lotus.ctx, other, post_id, good)
        with pytest.raises(NotFound):
            await delete_post(uow, lotus.ctx, other, post_id)
