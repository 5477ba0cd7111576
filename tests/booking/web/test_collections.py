"""The owner's pages about collections."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.models import Collection, CollectionItem, Service
from src.platform.services import Services
from src.tenants.models import AuditEntry, Tenant
from tests.booking.web.pages import send
from tests.support.builders import Business, a_service, a_session
from tests.support.collections import a_collection
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/collections"


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    service = await a_service(services.uow_factory, lotus.id)
    await a_session(services.uow_factory, service)
    return service


async def only_one(services: Services, business: Business) -> Collection:
    async with services.uow_factory(business.id) as uow:
        [found] = await uow.session.scalars(select(Collection))
        return found


async def items_of(services: Services, business: Business) -> list[CollectionItem]:
    async with services.uow_factory(business.id) as uow:
        ordered = select(CollectionItem).order_by(CollectionItem.position)
        return list(await uow.session.scalars(ordered))


async def acts(services: Services, business: Business) -> list[str]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def test_an_owner_makes_one_and_is_told_for_whom_things_are(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    assert "No collection yet" in (await client.get(HOME)).text
    typed = {
        "title": "For regulars",
        "cover_text": "Thank you for coming.",
        "established_only": "on",
        "things": f"service:{yoga.id}",
    }
    answer = await send(client, f"{HOME}/new", typed)
    made = await only_one(services, lotus)
    assert answer.headers["location"] == f"{HOME}/{made.id}"
    assert (made.slug, made.established_only, made.listed_in_portal) == (
        "for-regulars",
        True,
        False,
    )
    shown = (await client.get(f"{HOME}/{made.id}")).text
    assert "Only known customers can book this now: Yoga." in shown
    link = (await client.get(f"{HOME}/{made.id}/link")).text
    assert "/embed/lotus/collections/for-regulars" in link
    assert "Known customers only" in (await client.get(HOME)).text
    assert await acts(services, lotus) == ["collection.created"]


async def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    await a_collection(services.uow_factory, lotus.id, title="Menu")
    typed = {"title": "", "slug": "menu", "cover_text": "Kept words", "listed_in_portal": "on"}
    answer = await send(client, f"{HOME}/new", typed)
    assert answer.status_code == 422
    assert "Give the collection a title." in answer.text
    assert "Another collection has this address" in answer.text
    assert "Kept words" in answer.text
    assert (await only_one(services, lotus)).title == "Menu"


async def test_things_are_added_moved_and_taken_out_without_scripts(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    ten = await a_package(services.uow_factory, lotus.id, name="Ten")
    made = await a_collection(services.uow_factory, lotus.id, yoga, established_only=False)
    page = f"{HOME}/{made.id}"
    nothing = await send(client, page, {"things": None}, to=f"{page}/items")
    assert nothing.status_code == 422
    assert "Please tick what to add." in nothing.text
    await send(client, page, {"things": f"package:{ten.id}"}, to=f"{page}/items")
    first, second = await items_of(services, lotus)
    assert (first.service_id, second.package_id) == (yoga.id, ten.id)
    moving = f"{page}/items/{second.id}/move"
    await send(client, page, {"up": "1"}, to=moving)
    assert [one.id for one in await items_of(services, lotus)] == [second.id, first.id]
    await send(client, page, {}, to=f"{page}/items/{first.id}/remove")
    assert [one.id for one in await items_of(services, lotus)] == [second.id]
    assert await acts(services, lotus) == [
        "collection.filled",
        "collection.ordered",
        "collection.emptied",
    ]


async def test_an_empty_one_says_so_to_its_owner(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    made = await a_collection(services.uow_factory, lotus.id)
    assert "Nothing is in it yet" in (await client.get(f"{HOME}/{made.id}")).text
    off = await a_service(services.uow_factory, lotus.id, active=False)
    other = await a_collection(services.uow_factory, lotus.id, off, title="Other")
    assert "Nothing of what is in it is on sale" in (await client.get(f"{HOME}/{other.id}")).text


@pytest.mark.parametrize("act", ["off", "delete"])
async def test_what_everybody_could_book_then_is_said_before(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service, act: str
) -> None:
    made = await a_collection(services.uow_factory, lotus.id, yoga)
    asking = f"{HOME}/{made.id}/{act}"
    asked = (await client.get(asking)).text
    assert "Everybody can book this then" in asked
    assert "<li>Yoga</li>" in asked
    await send(client, asking, {})
    assert (await client.get("/b/lotus/yoga")).status_code == 200
    if act == "off":
        assert not (await only_one(services, lotus)).active
        await send(client, f"{HOME}/{made.id}", {}, to=f"{HOME}/{made.id}/on")
        assert (await client.get("/b/lotus/yoga", follow_redirects=False)).status_code == 303
    else:
        assert "No collection yet" in (await client.get(HOME)).text


async def test_losing_the_feature_keeps_them_to_be_looked_at(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    made = await a_collection(services.uow_factory, lotus.id, yoga)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await uow.session.get_one(Tenant, lotus.id)
        plan = tenant.entitlements["plan"]
        kept = [feature for feature in plan["features"] if feature != "collections"]
        tenant.entitlements = {**tenant.entitlements, "plan": {**plan, "features": kept}}
    assert "Your collections are hidden." in (await client.get(HOME)).text
    assert "Your collections are hidden." in (await client.get(f"{HOME}/{made.id}")).text
    assert (await client.get(f"{HOME}/new")).status_code == 402


async def test_the_owner_reads_why_guests_do_not_find_it(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    await a_collection(services.uow_factory, lotus.id, yoga)
    shown = (await client.get(f"/app/lotus/services/{yoga.id}/sessions")).text
    assert "Only known customers can book it." in shown
    assert "It is kept for known customers" in shown
    assert f'href="{HOME}"' in shown
