"""Beginnings that happen twice at the same moment."""

import asyncio

import pytest
from sqlalchemy import func, select

from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput
from src.tenants.commands.signup import NewBusiness, NewUser, SignedUp, add_business, sign_up
from src.tenants.models import Tenant, User
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
            await sign_up(uow, OLIVE, wrong)
    assert set(refused.value.fields) == {"business_name", "slug", "timezone", "currency", "country"}


@pytest.mark.race
async def test_a_double_click_makes_one_user_and_one_business(committing: Committing) -> None:
    async def click(slug: str) -> SignedUp:
        async with committing.uow_factory(None) as uow:
            return await sign_up(uow, OLIVE, a_new(slug))

    answers = await asyncio.gather(*(click(f"lotus-{number}") for number in range(5)))
    assert sum(answer.user_id is not None for answer in answers) == 1
    async with committing.uow_factory(None) as uow:
        assert await uow.session.scalar(select(func.count()).select_from(User)) == 1
        assert await uow.session.scalar(select(func.count()).select_from(Tenant)) == 1


@pytest.mark.race
async def test_two_who_want_the_same_slug_get_one_and_a_sentence(committing: Committing) -> None:
    async def begin(number: int) -> SignedUp | InvalidInput:
        who = NewUser(name="Olive", email=f"o{number}@x.example", password_hash="none")
        try:
            async with committing.uow_factory(None) as uow:
                return await sign_up(uow, who, a_new("lotus"))
        except InvalidInput as refused:
            return refused

    answers = await asyncio.gather(*(begin(number) for number in range(5)))
    refusals = [answer for answer in answers if isinstance(answer, InvalidInput)]
    assert len(refusals) == 4
    assert all("slug" in refusal.fields for refusal in refusals)


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
