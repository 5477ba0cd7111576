"""API keys: shown once, found inside their tenant, gone when revoked."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.errors import NotFound, SignInRequired
from src.tenants.commands.api_keys import (
    authenticate_api_key,
    create_api_key,
    revoke_api_key,
)
from src.tenants.models import ApiKey, AuditEntry
from tests.support.clock import FrozenClock
from tests.tenants.support import SomeTenant, add_tenant, add_user, context_for

pytestmark = pytest.mark.anyio


async def a_key(factory: UowFactory, tenant: SomeTenant) -> tuple[str, ApiKey]:
    olive = await add_user(factory, f"Olive-{tenant.slug}")
    ctx = await context_for(factory, tenant, olive)
    async with factory(tenant.id) as uow:
        made = await create_api_key(uow, ctx, "Website")
    async with factory(tenant.id) as uow:
        return made.plain, await uow.session.get_one(ApiKey, (tenant.id, made.id))


async def test_a_key_lets_in_the_program_of_its_tenant(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    loft = await add_tenant(uow_factory, "yoga-loft")
    plain, stored = await a_key(uow_factory, loft)
    caller = await authenticate_api_key(uow_factory, plain, clock.now())
    assert caller.tenant.slug == "yoga-loft"
    assert (caller.actor.kind, caller.actor.name) == ("api_key", "Website")
    assert stored.secret_hash not in plain
    assert plain.endswith(stored.last_four)


async def test_its_use_is_noted_but_not_each_time(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    loft = await add_tenant(uow_factory, "yoga-loft")
    plain, _stored = await a_key(uow_factory, loft)
    used = []
    for minutes in (0, 5, 10):
        clock.advance(timedelta(minutes=minutes))
        await authenticate_api_key(uow_factory, plain, clock.now())
        async with uow_factory(loft.id) as uow:
            used.append(await uow.session.scalar(select(ApiKey.last_used_at)))
    assert used[0] == used[1]
    assert used[2] == clock.now()


async def test_everything_but_the_key_itself_is_refused_alike(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    loft, room = await add_tenant(uow_factory, "yoga-loft"), await add_tenant(uow_factory, "room")
    plain, _stored = await a_key(uow_factory, loft)
    last = "A" if plain[-1] != "A" else "B"
    words = set()
    for wrong in (
        "",
        "nonsense",
        plain[:-1] + last,
        plain.replace(loft.id.hex, room.id.hex),
        plain + "x",
        plain.upper(),
    ):
        with pytest.raises(SignInRequired) as refused:
            await authenticate_api_key(uow_factory, wrong, clock.now())
        words.add(refused.value.message)
    assert len(words) == 1


async def test_a_revoked_key_is_over_at_once_and_in_the_log(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    loft = await add_tenant(uow_factory, "yoga-loft")
    plain, stored = await a_key(uow_factory, loft)
    mia = await add_user(uow_factory, "Mia")
    ctx = await context_for(uow_factory, loft, mia)
    for _again in range(2):
        async with uow_factory(loft.id) as uow:
            await revoke_api_key(uow, ctx, stored.id)
    with pytest.raises(SignInRequired):
        await authenticate_api_key(uow_factory, plain, clock.now())
    async with uow_factory(loft.id) as uow:
        entries = (await uow.session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(entry.action, entry.actor_name) for entry in entries] == [
        ("api_key.created", "Olive-yoga-loft"),
        ("api_key.revoked", "Mia"),
    ]


async def test_another_tenants_key_cannot_be_revoked(uow_factory: UowFactory) -> None:
    loft, room = await add_tenant(uow_factory, "yoga-loft"), await add_tenant(uow_factory, "room")
    _plain, stored = await a_key(uow_factory, loft)
    eve = await add_user(uow_factory, "Eve")
    ctx = await context_for(uow_factory, room, eve)
    async with uow_factory(room.id) as uow:
        with pytest.raises(NotFound):
            await revoke_api_key(uow, ctx, stored.id)
