"""Collections in the menu of a guest who is signed in."""

from uuid import UUID

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from tests.support.builders import Business, a_business
from tests.support.collections import a_collection, a_customer
from tests.support.portal import sign_in_portal
from tests.support.visitor import Visitor

pytestmark = pytest.mark.anyio

ONE, TWO = "/b/lotus/collections/one", "/b/lotus/collections/two"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def guest(client: AsyncClient) -> Visitor:
    return Visitor(client)


async def enter(guest: Visitor, services: Services, lotus: Business, *, established: bool) -> UUID:
    carl = await a_customer(services.uow_factory, lotus.id, established=established)
    await sign_in_portal(guest.client, services, lotus.id, carl)
    return carl


async def test_a_single_one_stands_in_the_menu_by_its_title(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await a_collection(
        services.uow_factory, lotus.id, title="One", listed_in_portal=True, cover_text="For you."
    )
    await a_collection(services.uow_factory, lotus.id, title="Two", listed_in_portal=False)
    await enter(guest, services, lotus, established=True)
    for path in ("/b/lotus/me", "/b/lotus/me/receipts", "/b/lotus/me/profile"):
        text = (await guest.open(path)).text
        assert ONE in text, path
        assert TWO not in text, path
        assert "/me/offerings" not in text, path
    assert "For you." in (await guest.open("/b/lotus/me")).text


async def test_several_stand_under_one_word(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    for title in ("One", "Two"):
        await a_collection(services.uow_factory, lotus.id, title=title, listed_in_portal=True)
    await enter(guest, services, lotus, established=True)
    text = (await guest.open("/b/lotus/me/profile")).text
    assert "/b/lotus/me/offerings" in text
    assert ONE not in text
    for path in ("/b/lotus/me", "/b/lotus/me/offerings"):
        text = (await guest.open(path)).text
        assert ONE in text, path
        assert TWO in text, path


async def test_a_new_customer_finds_only_what_is_for_everybody(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await a_collection(services.uow_factory, lotus.id, title="One", listed_in_portal=True)
    await a_collection(
        services.uow_factory,
        lotus.id,
        title="Two",
        listed_in_portal=True,
        established_only=False,
    )
    await enter(guest, services, lotus, established=False)
    text = (await guest.open("/b/lotus/me")).text
    assert ONE not in text
    assert TWO in text


async def test_a_plan_without_collections_lists_none(guest: Visitor, services: Services) -> None:
    small = await a_business(services.uow_factory, plan="starter")
    await a_collection(services.uow_factory, small.id, title="One", listed_in_portal=True)
    await enter(guest, services, small, established=True)
    assert ONE not in (await guest.open("/b/lotus/me")).text
