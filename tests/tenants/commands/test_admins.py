"""Platform admins, and what they may do to a business as a whole."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.passwords import verify_password
from src.running import owners_work
from src.tenants.cli import create_platform_admin
from src.tenants.commands.admins import SetStatus, next_statuses, set_status
from src.tenants.domain.roles import TenantStatus
from src.tenants.models import Member, User
from tests.conftest import Committing
from tests.support.builders import a_business, a_user
from tests.support.clock import FrozenClock
from tests.tenants.plan_support import an_admin, now_of, platform_log

pytestmark = pytest.mark.anyio

PASSWORD = "violet hammock seven"
ACTIVE, SUSPENDED = TenantStatus.ACTIVE, TenantStatus.SUSPENDED


async def user_at(uow_factory: UowFactory, email: str) -> User:
    async with uow_factory(None) as uow:
        user = await uow.session.scalar(select(User).where(User.email == email))
    assert user is not None
    return user


async def test_a_new_admin_is_confirmed(committing: Committing, clock: FrozenClock) -> None:
    async with owners_work(committing.settings) as owners:
        made = await create_platform_admin(
            owners, " Ada@Example.com ", "Ada  Byron", PASSWORD, clock.now()
        )
    ada = await user_at(committing.uow_factory, "ada@example.com")
    assert made
    assert (ada.name, ada.is_platform_admin) == ("Ada Byron", True)
    assert ada.email_confirmed_at == clock.now()
    assert await verify_password(ada.password_hash, PASSWORD)


async def test_a_known_user_becomes_an_admin(committing: Committing, clock: FrozenClock) -> None:
    factory = committing.uow_factory
    olive = await a_user(factory, "Olive")
    assert not olive.is_platform_admin
    async with owners_work(committing.settings) as owners:
        with pytest.raises(Conflict) as refused:
            await create_platform_admin(owners, olive.email, "X", PASSWORD, clock.now())
        assert refused.value.code == "known_user"
        assert not (await user_at(factory, olive.email)).is_platform_admin
        made = await create_platform_admin(
            owners, olive.email, "X", PASSWORD, clock.now(), replace_password=True
        )
    after = await user_at(factory, olive.email)
    assert not made
    assert (after.id, after.name, after.is_platform_admin) == (olive.id, "Olive", True)
    assert (await platform_log(factory))[-1][:2] == ("admin.promoted", f"user:{olive.id}")


async def test_the_program_itself_makes_nobody_an_admin(
    committing: Committing, clock: FrozenClock
) -> None:
    """Not even where a request could be made to: its role has no right to that column."""
    factory = committing.uow_factory
    with pytest.raises(DBAPIError, match="permission denied"):
        await a_user(factory, "Eve", is_platform_admin=True)
    with pytest.raises(DBAPIError, match="permission denied"):
        await create_platform_admin(factory, "eve@example.com", "Eve", PASSWORD, clock.now())


async def test_an_address_that_nobody_proved_is_taken_only_when_told_to(
    committing: Committing, clock: FrozenClock
) -> None:
    factory = committing.uow_factory
    lotus = await a_business(factory)
    async with factory(None) as uow:
        owner = await uow.session.get_one(User, lotus.owner.id)
        owner.email_confirmed_at = None
    new = (lotus.owner.email, "Ada", PASSWORD, clock.now())
    async with owners_work(committing.settings) as owners:
        with pytest.raises(Conflict):
            await create_platform_admin(owners, *new)
        assert not (await user_at(factory, lotus.owner.email)).is_platform_admin
        await create_platform_admin(owners, *new, unproved=True)
    assert (await user_at(factory, lotus.owner.email)).is_platform_admin
    async with factory(None) as uow:
        assert (await uow.session.scalars(select(Member))).all() == []


async def test_every_wrong_field_is_named(uow_factory: UowFactory, clock: FrozenClock) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await create_platform_admin(uow_factory, "nobody", " ", "short", clock.now())
    assert set(refusal.value.fields) == {"email", "name", "password"}


async def test_a_business_is_suspended_and_let_work_again(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory)
    for before, after in ((ACTIVE, SUSPENDED), (SUSPENDED, ACTIVE)):
        async with uow_factory(business.id) as uow:
            cmd = SetStatus(
                tenant_id=business.id, status=after, expected=before, reason="Unpaid bills."
            )
            await set_status(uow, ada, cmd)
        assert (await now_of(uow_factory, business)).status is after
    assert [entry[0] for entry in await platform_log(uow_factory)] == ["tenant.status_changed"] * 2


async def test_of_two_admins_the_second_is_told(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, status="suspended")
    cmd = SetStatus(tenant_id=business.id, status=SUSPENDED, expected=ACTIVE, reason="Spam.")
    with pytest.raises(Conflict):
        async with uow_factory(business.id) as uow:
            await set_status(uow, ada, cmd)


async def test_a_reason_is_asked_for(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory)
    cmd = SetStatus(tenant_id=business.id, status=SUSPENDED, expected=ACTIVE, reason=" ")
    with pytest.raises(InvalidInput):
        async with uow_factory(business.id) as uow:
            await set_status(uow, ada, cmd)


async def test_no_business_no_status(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    cmd = SetStatus(tenant_id=new_id(), status=SUSPENDED, expected=ACTIVE, reason="Spam.")
    with pytest.raises(NotFound):
        async with uow_factory(cmd.tenant_id) as uow:
            await set_status(uow, ada, cmd)


def test_a_suspended_business_can_only_be_let_work_again() -> None:
    assert next_statuses(SUSPENDED) == [ACTIVE]
    assert SUSPENDED in next_statuses(ACTIVE)
