"""From a slug to the tenant and the person who asks."""

import pytest

from src.platform.db.uow import UowFactory
from src.tenants.domain.roles import Role
from src.tenants.queries.members import find_person, list_members
from src.tenants.queries.tenants import find_place, find_tenant_by_slug, is_slug_free
from tests.tenants.support import add_slug, add_tenant, add_user

pytestmark = pytest.mark.anyio


async def test_a_slug_leads_to_the_tenant_and_to_what_the_person_is_in_it(
    uow_factory: UowFactory,
) -> None:
    olive = await add_user(uow_factory, "Olive")
    ivan = await add_user(uow_factory, "Ivan")
    loft = await add_tenant(uow_factory, "yoga-loft", (olive, Role.OWNER), (ivan, Role.INSTRUCTOR))
    await add_tenant(uow_factory, "art-room", (ivan, Role.OWNER))
    async with uow_factory(None) as uow:
        place = await find_place(uow, "yoga-loft", ivan.id)
    assert place is not None
    assert place.tenant.id == loft.id
    assert place.person is not None
    assert place.person.role_in(loft.id) is Role.INSTRUCTOR
    assert [known.slug for known in place.person.businesses] == ["art-room", "yoga-loft"]


async def test_nobody_and_a_deleted_user_are_no_person(uow_factory: UowFactory) -> None:
    loft = await add_tenant(uow_factory, "yoga-loft")
    async with uow_factory(None) as uow:
        unsigned = await find_place(uow, "yoga-loft", None)
        deleted = await find_place(uow, "yoga-loft", loft.id)
        assert await find_person(uow, loft.id) is None
    assert unsigned is not None
    assert unsigned.person is None
    assert deleted is not None
    assert deleted.person is None


async def test_an_old_slug_leads_to_the_tenant_under_its_new_one(uow_factory: UowFactory) -> None:
    loft = await add_tenant(uow_factory, "yoga-loft")
    async with uow_factory(None) as uow:
        await add_slug(uow, "old-loft", loft.id)
        found = await find_tenant_by_slug(uow, "old-loft")
        assert found is not None
        assert found.slug == "yoga-loft"
        assert await find_tenant_by_slug(uow, "no-loft") is None
        assert not await is_slug_free(uow, "old-loft")
        assert await is_slug_free(uow, "old-loft", except_tenant=loft.id)
        assert await is_slug_free(uow, "no-loft")


async def test_a_tenant_is_confirmed_once_an_owner_is(uow_factory: UowFactory) -> None:
    olive = await add_user(uow_factory, "Olive", email_confirmed_at=None)
    mia = await add_user(uow_factory, "Mia")
    ada = await add_user(uow_factory, "Ada")
    await add_tenant(uow_factory, "yoga-loft", (olive, Role.OWNER), (mia, Role.MANAGER))
    await add_tenant(uow_factory, "art-room", (olive, Role.OWNER), (ada, Role.OWNER))
    async with uow_factory(None) as uow:
        loft = await find_tenant_by_slug(uow, "yoga-loft")
        art = await find_tenant_by_slug(uow, "art-room")
    assert loft is not None
    assert not loft.is_confirmed
    assert art is not None
    assert art.is_confirmed


async def test_members_are_listed_owners_first(uow_factory: UowFactory) -> None:
    olive, mia = await add_user(uow_factory, "Olive"), await add_user(uow_factory, "Mia")
    loft = await add_tenant(uow_factory, "yoga-loft", (mia, Role.MANAGER), (olive, Role.OWNER))
    async with uow_factory(None) as uow:
        members = await list_members(uow, loft.id)
    assert [(member.name, member.role) for member in members] == [
        ("Olive", Role.OWNER),
        ("Mia", Role.MANAGER),
    ]
