"""Beginnings that happen twice at the same moment."""

import asyncio

import pytest
from sqlalchemy import func, select

from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, Gone, InvalidInput
from src.platform.ids import new_id
from src.tenants.commands import signup
from src.tenants.commands.accounts import NewUser
from src.tenants.commands.sign_ups import (
    Finished,
    ask_to_sign_up,
    find_sign_up,
    finish_sign_up,
)
from src.tenants.commands.signup import NewBusiness, add_business
from src.tenants.models import SignUp, Tenant, User
from src.tenants.queries.tenants import find_tenant_by_slug
from tests.conftest import Committing
from tests.support.builders import a_user

pytestmark = pytest.mark.anyio

OLIVE = NewUser(name="Olive", email="Olive@Lotus.example", password_hash="none")


def a_new(slug: str) -> NewBusiness:
    return NewBusiness(
        name="Lotus", slug=slug, timezone="Europe/London", currency="GBP", country="GB"
    )


async def test_all_that_is_wrong_with_a_business_is_said_at_once(uow_factory: UowFactory) -> None:
    wrong = NewBusiness(name="L", slug="admin", timezone="Mars", currency="XXX", country="XX")
    async with uow_factory(None) as uow:
        with pytest.raises(InvalidInput) as refused:
            await ask_to_sign_up(uow, new_id(), OLIVE, wrong)
    assert set(refused.value.fields) == {"business_name", "slug", "timezone", "currency", "country"}


@pytest.mark.race
async def test_a_double_click_makes_one_sign_up_and_the_link_one_business(
    committing: Committing,
) -> None:
    sign_up_id = new_id()

    async def click() -> bool:
        try:
            async with committing.uow_factory(None) as uow:
                await ask_to_sign_up(uow, sign_up_id, OLIVE, a_new("lotus"))
        except Conflict as twice:
            assert twice.code == "sent_twice"
            return False
        return True

    async def follow() -> Finished | None:
        try:
            async with committing.uow_factory(None) as uow:
                return await finish_sign_up(uow, sign_up_id, "olive@lotus.example")
        except Gone:
            return None

    assert any(await asyncio.gather(*(click() for _time in range(5))))
    done = await asyncio.gather(*(follow() for _time in range(5)))
    assert len([one for one in done if one is not None]) == 1
    async with committing.uow_factory(None) as uow:
        contact = await uow.session.scalar(
            select(Tenant.contact_email).where(Tenant.slug == "lotus")
        )
        assert contact == "olive@lotus.example"
        for table in (User, Tenant):
            assert await uow.session.scalar(select(func.count()).select_from(table)) == 1
        assert await find_sign_up(uow, sign_up_id) is None


@pytest.mark.race
async def test_one_address_in_two_sign_ups_becomes_one_user(committing: Committing) -> None:
    ids = [new_id(), new_id()]
    for number, sign_up_id in enumerate(ids):
        async with committing.uow_factory(None) as uow:
            await ask_to_sign_up(uow, sign_up_id, OLIVE, a_new(f"lotus-{number}"))

    async def follow(sign_up_id: object) -> Finished:
        async with committing.uow_factory(None) as uow:
            return await finish_sign_up(uow, sign_up_id, "olive@lotus.example")  # type: ignore[arg-type]  # never None here

    done = await asyncio.gather(*(follow(one) for one in ids))
    assert sum(one.user_id is not None for one in done) == 1
    async with committing.uow_factory(None) as uow:
        for table, count in ((User, 1), (Tenant, 1), (SignUp, 0)):
            assert await uow.session.scalar(select(func.count()).select_from(table)) == count


@pytest.mark.race
async def test_two_who_want_the_same_slug_get_one_and_a_sentence(committing: Committing) -> None:
    async def begin(number: int) -> InvalidInput | None:
        who = NewUser(name="Olive", email=f"o{number}@x.example", password_hash="none")
        try:
            async with committing.uow_factory(None) as uow:
                await ask_to_sign_up(uow, new_id(), who, a_new("lotus"))
        except InvalidInput as refused:
            return refused
        return None

    answers = await asyncio.gather(*(begin(number) for number in range(5)))
    refusals = [answer for answer in answers if answer is not None]
    assert len(refusals) == 4
    assert all("slug" in refusal.fields for refusal in refusals)


@pytest.mark.race
async def test_the_last_business_a_user_may_own_is_made_once(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signup, "MOST_BUSINESSES", 2)
    olive = await a_user(committing.uow_factory)

    async def begin(slug: str) -> bool:
        try:
            async with committing.uow_factory(None) as uow:
                await add_business(uow, olive.id, a_new(slug))
        except InvalidInput as refused:
            assert refused.code == "too_many_businesses"
            return False
        return True

    made = await asyncio.gather(*(begin(f"lotus-{number}") for number in range(5)))
    assert sum(made) == 2


@pytest.mark.race
async def test_two_businesses_at_once_get_one_trial(committing: Committing) -> None:
    olive = await a_user(committing.uow_factory)

    async def begin(slug: str) -> None:
        async with committing.uow_factory(None) as uow:
            await add_business(uow, olive.id, a_new(slug))

    slugs = [f"lotus-{number}" for number in range(4)]
    await asyncio.gather(*(begin(slug) for slug in slugs))
    async with committing.uow_factory(None) as uow:
        found = [await find_tenant_by_slug(uow, slug) for slug in slugs]
    plans = sorted(tenant.entitlements.plan_key for tenant in found if tenant is not None)
    assert plans == ["free", "free", "free", "growth"]
