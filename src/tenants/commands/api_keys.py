"""Keys of the JSON API: made, shown once, checked, revoked.

A key reads `sl_<tenant>_<key>_<secret>`: the first two parts, ids in hex, say where to look, so
that no key is ever searched for across tenants. Only the SHA-256 of the secret is stored; the
secret has 256 random bits, which no guessing reaches, so a slow hash would only slow the API.
"""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, bindparam, select, update

from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.errors import Conflict, NotFound, SignInRequired
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import Actor, RequestContext, TenantSnapshot
from src.tenants.models import ApiKey, Tenant
from src.tenants.queries.tenants import TENANT_COLUMNS, snapshot_from

PREFIX = "sl"
SECRET_BYTES = 32
USE_NOTED_EVERY = timedelta(minutes=10)
_SHAPE = re.compile(r"sl_([0-9a-f]{32})_([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


# Made once: each call of a program asks, and putting it together takes longer than running it.
_KEY_AND_TENANT: Select[Any] = (
    select(
        *TENANT_COLUMNS,
        ApiKey.id.label("key_id"),
        ApiKey.name.label("key_name"),
        ApiKey.secret_hash,
        ApiKey.last_used_at,
    )
    .join_from(ApiKey, Tenant, Tenant.id == ApiKey.tenant_id)
    .where(
        ApiKey.tenant_id == bindparam("tenant_id"),
        ApiKey.id == bindparam("key_id"),
        ApiKey.revoked_at.is_(None),
    )
)


def made_already() -> Conflict:
    return Conflict(_("This key has been made already."), code="already_submitted")


register_constraint("pk_api_keys", made_already)


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key just made; `plain` is never to be had again."""

    id: UUID
    plain: str


class ApiCaller(msgspec.Struct, frozen=True, kw_only=True):
    """The program behind a good key."""

    actor: Actor
    tenant: TenantSnapshot


async def create_api_key(
    uow: UnitOfWork, ctx: RequestContext, name: str, key_id: UUID | None = None
) -> NewApiKey:
    """Stores a key's hash and gives the key itself, for the one time it can be shown.

    `key_id` is the form's token, which becomes the key's id.
    Raises: Conflict for the same form sent again, when it settles at the latest.
    """
    key_id = key_id or new_id()
    if await uow.session.get(ApiKey, (uow.tenant, key_id)) is not None:
        raise made_already()
    secret = secrets.token_urlsafe(SECRET_BYTES)
    uow.session.add(
        ApiKey(
            tenant_id=uow.tenant,
            id=key_id,
            name=name,
            secret_hash=_hash_of(secret),
            last_four=secret[-4:],
            created_by=ctx.user_id,
            created_at=uow.clock.now(),
        )
    )
    await audit(uow, ctx, "api_key.created", "api_key", key_id, name=name)
    return NewApiKey(id=key_id, plain=f"{PREFIX}_{uow.tenant.hex}_{key_id.hex}_{secret}")


async def revoke_api_key(uow: UnitOfWork, ctx: RequestContext, key_id: UUID) -> None:
    """Ends the key at once; one that has ended already stays as it was. Raises: NotFound."""
    key = await uow.session.scalar(
        select(ApiKey).where(ApiKey.tenant_id == uow.tenant, ApiKey.id == key_id)
    )
    if key is None:
        raise NotFound(_("There is no such key."))
    if key.revoked_at is None:
        key.revoked_at = uow.clock.now()
        await audit(uow, ctx, "api_key.revoked", "api_key", key_id, name=key.name)


async def authenticate_api_key(uow_factory: UowFactory, presented: str, now: datetime) -> ApiCaller:
    """The program and tenant of a key, found in one statement inside the tenant it names.

    Raises: SignInRequired, the same for a key that is malformed, unknown, wrong or revoked.
    """
    shape = _SHAPE.fullmatch(presented)
    if shape is None:
        raise _refused()
    tenant_id, key_id = UUID(shape[1]), UUID(shape[2])
    async with uow_factory(tenant_id) as uow:
        row = await _key_and_tenant(uow, key_id)
        if row is None or not hmac.compare_digest(row.secret_hash, _hash_of(shape[3])):
            raise _refused()
        await _note_use(uow, row, now)
    actor = Actor(kind="api_key", user_id=None, name=row.key_name)
    return ApiCaller(actor=actor, tenant=snapshot_from(row, now))


async def _key_and_tenant(uow: UnitOfWork, key_id: UUID) -> Row[Any] | None:
    found = await uow.session.execute(_KEY_AND_TENANT, {"tenant_id": uow.tenant, "key_id": key_id})
    return found.first()


async def _note_use(uow: UnitOfWork, row: Row[Any], now: datetime) -> None:
    """Written at most every ten minutes: a busy key must not make its row a hot one."""
    if row.last_used_at is not None and now - row.last_used_at < USE_NOTED_EVERY:
        return
    await uow.session.execute(
        update(ApiKey)
        .where(ApiKey.tenant_id == uow.tenant, ApiKey.id == row.key_id)
        .values(last_used_at=now)
    )


def _hash_of(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _refused() -> SignInRequired:
    return SignInRequired(_("This API key is not valid."), code="invalid_api_key")
