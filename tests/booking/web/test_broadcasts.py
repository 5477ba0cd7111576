"""Writing to guests from the dashboard: who gets it is shown before it leaves."""

import pytest
from httpx import AsyncClient

from src.booking.commands import broadcasts
from src.booking.commands.session_deleting import delete_session
from src.booking.models import Session
from src.booking.web.broadcast_compose import TRIALS_BY_USER
from src.platform.services import Services
from src.tenants.models import User
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.jobs.test_broadcast import send as broadcast
from tests.booking.jobs.test_broadcast import session as to_session
from tests.booking.jobs.test_changes import guests_of
from tests.booking.web.pages import fields_of, send, send_again
from tests.support.builders import Business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.visitor import as_read
from tests.support.work import work

pytestmark = pytest.mark.anyio


async def carls_session(services: Services, lotus: Business) -> Session:
    """A free one that Carl has a place in."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await guests_of(services, lotus, session.id, "carl")
    return session


async def test_an_owner_writes_to_a_roster(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await guests_of(services, lotus, session.id, "carl", "dora")
    mailer.sent.clear()
    roster = await client.get(f"/app/lotus/sessions/{session.id}")
    new = f"/app/lotus/broadcasts/new?to=session:{session.id}"
    assert new in roster.text
    typed = {"subject": "<b>Mats</b>", "body": "Bring one, {customer_name}."}
    looked = await send(client, new, typed, to="/app/lotus/broadcasts/new")
    assert "2 mails" in looked.text
    assert "Carl" in looked.text
    assert "&lt;b&gt;Mats&lt;/b&gt;" in looked.text
    await work(services, lotus.id)
    assert mailer.sent == []
    sent = await send_again(client, "/app/lotus/broadcasts/new", looked, {"sure": "on"})
    here = sent.headers["location"]
    assert "0 of 2" in (await client.get(here)).text
    await work(services, lotus.id)
    assert len(mailer.sent) == 2
    came_along = await client.get(here, headers={"hx-request": "true"})
    assert "dora@example.com" in as_read(came_along.text), "to whom, without loading the page again"
    shown = await client.get(here)
    assert "Sent: 2 mails." in shown.text
    assert "dora@example.com" in as_read(shown.text)
    assert "&lt;b&gt;Mats" in (await client.get("/app/lotus/broadcasts")).text


async def test_what_was_changed_after_looking_is_looked_at_again(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    session = await carls_session(services, lotus)
    mailer.sent.clear()
    new = "/app/lotus/broadcasts/new"
    typed = {"subject": "Mats", "body": "\r\nBring one.\r\n\r\nOlive"}
    looked = await send(client, f"{new}?to=session:{session.id}", typed, to=new)
    again = await send_again(client, new, looked, {"subject": "Towels", "sure": "on"})
    assert "You changed the mail since you looked" in again.text
    await work(services, lotus.id)
    assert mailer.sent == []
    await send_again(client, new, again, {"sure": "on"})
    await work(services, lotus.id)
    assert [mail.subject for mail in mailer.sent] == ["Towels"]


async def test_a_mail_that_more_people_would_get_than_were_shown_is_looked_at_again(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    session = await carls_session(services, lotus)
    new = "/app/lotus/broadcasts/new"
    typed = {"subject": "Mats", "body": "Bring one"}
    looked = await send(client, f"{new}?to=session:{session.id}", typed, to=new)
    assert "1 mail" in looked.text
    await guests_of(services, lotus, session.id, "dora")
    again = await send_again(client, new, looked, {"sure": "on"})
    assert again.status_code == 409
    assert "Another number of people gets it" in again.text
    assert "2 mails" in again.text
    sent = await send_again(client, new, again, {"sure": "on"})
    assert sent.status_code == 303
    await guests_of(services, lotus, session.id, "emil")
    twice = await send_again(client, new, again, {"sure": "on"})
    assert twice.headers["location"] == sent.headers["location"], "it has left already"


async def test_another_mail_from_a_form_that_has_sent_one_is_not_swallowed(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    session = await carls_session(services, lotus)
    mailer.sent.clear()
    new = "/app/lotus/broadcasts/new"
    typed = {"subject": " Mats", "body": "Bring one\r\n\r\nOlive "}
    looked = await send(client, f"{new}?to=session:{session.id}", typed, to=new)
    first = await send_again(client, new, looked, {"sure": "on"})
    twice = await send_again(client, new, looked, {"sure": "on"})
    assert twice.headers["location"] == first.headers["location"], "the same mail leaves once"
    other = await send_again(client, new, looked, {"subject": "No mats"})
    refused = await send_again(client, new, other, {"sure": "on"})
    assert refused.status_code == 409
    assert "Another mail has left from this form already" in refused.text
    assert 'value="No mats"' in refused.text
    assert (await send_again(client, new, refused, {"sure": "on"})).status_code == 303
    await work(services, lotus.id)
    assert [mail.subject for mail in mailer.sent] == ["Mats", "No mats"]


async def test_what_was_typed_stays_where_a_day_has_had_its_mails(
    client: AsyncClient, services: Services, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "MOST_A_DAY", 0)
    session = await carls_session(services, lotus)
    new = "/app/lotus/broadcasts/new"
    typed = {"subject": "Mats", "body": "Long words"}
    looked = await send(client, f"{new}?to=session:{session.id}", typed, to=new)
    refused = await send_again(client, new, looked, {"sure": "on"})
    assert refused.status_code == 409
    assert "That is enough for one day." in refused.text
    assert "Long words" in refused.text


async def test_news_say_who_is_left_out(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    session = await carls_session(services, lotus)
    looked = await send(
        client,
        f"/app/lotus/broadcasts/new?to=session:{session.id}",
        {"subject": "Offer", "body": "Buy", "about": "news"},
        to="/app/lotus/broadcasts/new",
    )
    assert "0 mails" in looked.text
    assert "1 person" in looked.text
    assert "There is nobody to write to." in looked.text


async def test_several_are_chosen_and_the_mail_is_tried_on_before_it_leaves(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    first = await a_session(services.uow_factory, service, title="Morning")
    second = await a_session(services.uow_factory, service, title="Evening")
    await guests_of(services, lotus, first.id, "carl", "dora")
    await guests_of(services, lotus, second.id, "carl")
    mailer.sent.clear()
    new = "/app/lotus/broadcasts/new"
    assert new in (await client.get("/app/lotus/broadcasts")).text
    empty = await client.get(new)
    assert "Morning" in empty.text
    assert "Evening" in empty.text
    refused = await send_again(client, new, empty, {"subject": "Mats", "body": "Bring one"})
    assert refused.status_code == 422
    assert "Please choose to whom you write." in refused.text
    both = [f"session:{first.id}", f"session:{second.id}"]
    typed = {"to": both, "subject": "Mats, {customer_name}", "body": "See you at {business}"}
    looked = await send_again(client, new, empty, typed)
    assert "2 mails" in looked.text
    shown = await send_again(client, f"{new}/preview", looked, {})
    assert "See you at" in shown.text
    assert "Subject for Carl" in looked.text
    assert "Subject: <b>Mats, Carl" in shown.text
    assert "Mats, {customer_name}</dd>" not in looked.text
    assert "{business}" not in shown.text
    assert "sandbox" in shown.headers["content-security-policy"]
    assert mailer.sent == []
    tried = await send_again(client, f"{new}/trial", looked, {"about": "news"})
    assert "on its way to your own address" in tried.text
    chosen = "&amp;".join(f"to=session%3A{one.id}" for one in (first, second))
    assert f'data-again="?{chosen}"' in looked.text
    assert f'data-again="{new}?{chosen}"' in tried.text
    await work(services, lotus.id)
    assert mailer.sent[0].to == [f"Olive <{await address_of(services, lotus)}>"]
    assert "Trial: Mats" in mailer.sent[0].subject
    assert "List-Unsubscribe" not in mailer.sent[0].headers, "it ends no guest's news"
    sent = await send_again(client, new, looked, {"sure": "on"})
    await work(services, lotus.id)
    assert len(mailer.sent) == 3
    assert "Morning" in (page := await client.get(sent.headers["location"])).text
    assert "Evening" in page.text


async def test_what_was_sent_is_shown_though_a_date_of_it_was_deleted(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, title="Morning")
    empty = await a_session(services.uow_factory, service, title="Evening")
    await guests_of(services, lotus, session.id, "carl")
    both = (to_session(session.id), to_session(empty.id))
    broadcast_id = await broadcast(services, lotus, both[0], audiences=both)
    async with services.uow_factory(lotus.id) as uow:
        await delete_session(uow, lotus.ctx, empty.id)
    shown = await client.get(f"/app/lotus/broadcasts/{broadcast_id}")
    assert shown.status_code == 200
    assert "Morning" in shown.text
    assert "A date that was deleted" in shown.text
    new = f"/app/lotus/broadcasts/new?to=session:{empty.id}"
    assert (await client.get(new)).status_code == 404


async def address_of(services: Services, business: Business) -> str:
    async with services.uow_factory(None) as uow:
        return (await uow.session.get_one(User, business.owner.id)).email


async def test_trials_have_an_end(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    new = f"/app/lotus/broadcasts/new?to=session:{session.id}"
    typed = {"subject": "Mats", "body": "Bring one"}
    for _turn in range(TRIALS_BY_USER.times + 1):
        last = await send(client, new, typed, to="/app/lotus/broadcasts/new/trial")
    assert last.status_code == 200
    assert "on its way" not in last.text
    assert "Bring one" in last.text
    await work(services, lotus.id)
    assert len(mailer.sent) == TRIALS_BY_USER.times


async def test_a_tick_for_later_ones_stands_in_no_way_of_tags_chosen_after_it(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    new = "/app/lotus/broadcasts/new"
    typed = {"to": ["tag:vip"], "to_later": "on", "subject": "Mats", "body": "Bring one"}
    looked = await send(client, f"{new}?to=session:{session.id}", typed, to=new)
    assert looked.status_code == 200
    assert "Send this mail?" in looked.text
    assert "before the last date begins" not in looked.text


@pytest.mark.parametrize("button", ["", "/preview", "/trial"])
async def test_a_date_that_is_deleted_meanwhile_takes_no_typed_mail_with_it(
    client: AsyncClient, services: Services, lotus: Business, button: str
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    kept = await a_session(services.uow_factory, service)
    gone = await a_session(services.uow_factory, service)
    await guests_of(services, lotus, kept.id, "carl")
    new = "/app/lotus/broadcasts/new"
    opened = await client.get(f"{new}?to=session:{kept.id}&to=session:{gone.id}")
    async with services.uow_factory(lotus.id) as uow:
        await delete_session(uow, lotus.ctx, gone.id)
    typed = {"subject": "Mats", "body": "Long words"}
    # Every button sends the one form of the page.
    fields = {**fields_of(opened, new), **typed}
    refused = await client.post(new + button, data=fields)
    assert refused.status_code == 422
    assert "1 of those you chose was deleted meanwhile" in refused.text
    assert "Long words" in refused.text
    looked = await send_again(client, new, refused, {})
    assert "1 mail" in looked.text
    assert (await send_again(client, new, looked, {"sure": "on"})).status_code == 303


@pytest.mark.parametrize("to", ["session:1", "all:x", "tag:"])
async def test_who_is_nobody_is_absent(client: AsyncClient, lotus: Business, to: str) -> None:
    assert (await client.get(f"/app/lotus/broadcasts/new?to={to}")).status_code == 404


async def test_a_link_is_put_in_at_the_end_and_what_was_typed_stays(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    session = await carls_session(services, lotus)
    off = await a_service(services.uow_factory, lotus.id, slug="gone", name="Gone", active=False)
    mailer.sent.clear()
    new = f"/app/lotus/broadcasts/new?to=session:{session.id}"
    post = "/app/lotus/broadcasts/new"
    key = f"service:{session.service_id}"
    shown = await client.get(new)
    assert f'value="{key}"' in shown.text
    assert f"service:{off.id}" not in shown.text, "it cannot be had"
    typed = {"subject": "Mats", "body": "Bring one.\n", "about": "news", "link": key}
    put_in = await send(client, new, typed, to=f"{post}/link")
    fields = fields_of(put_in, post)
    link = f"{services.settings.base_url}/b/lotus/yoga"
    assert fields["body"] == [f"Bring one.\n\nYoga: {link}"]
    assert (fields["subject"], fields["about"]) == (["Mats"], ["news"])
    assert fields["to"] == [f"session:{session.id}"]
    looked = await send_again(client, post, put_in, {"about": "service"})
    await send_again(client, post, looked, {"sure": "on"})
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert f"Yoga: {link}" in mail.body
    assert f'href="{link}"' in mail.alternatives[0][0]


async def test_what_a_guest_is_called_leads_to_no_page_of_anybody_else(
    client: AsyncClient, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    elsewhere = f"{services.settings.base_url}/b/eve/prizes"
    called = a_wish("session", session.id, guest_name=f"Carl, your prize: {elsewhere}")
    await booked(services.uow_factory, lotus, called)
    await work(services, lotus.id)
    mailer.sent.clear()
    new = "/app/lotus/broadcasts/new"
    typed = {"subject": "Mats", "body": "Dear {customer_name}"}
    looked = await send(client, f"{new}?to=session:{session.id}", typed, to=new)
    await send_again(client, new, looked, {"sure": "on"})
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert elsewhere in mail.body
    assert f'href="{elsewhere}' not in mail.alternatives[0][0]


@pytest.mark.parametrize("link", ["", "service:0", "collection:x"])
async def test_no_link_without_a_choice(
    client: AsyncClient, services: Services, lotus: Business, link: str
) -> None:
    session = await carls_session(services, lotus)
    new = f"/app/lotus/broadcasts/new?to=session:{session.id}"
    typed = {"body": "Bring one.", "link": link}
    answer = await send(client, new, typed, to="/app/lotus/broadcasts/new/link")
    assert answer.status_code == 422
    assert "Choose what the link is to lead to." in answer.text
    assert fields_of(answer, "/app/lotus/broadcasts/new")["body"] == ["Bring one."]
