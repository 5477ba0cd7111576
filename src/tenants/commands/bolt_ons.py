"""Bolt-ons: given to tenants by admins, removed by either, and edited into new versions."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.entitlements import renew_entitlements
from src.tenants.commands.plan_requests import close_bolt_on_requests
from src.tenants.commands.platform_audit import audit_platform
from src.tenants.context import RequestContext
from src.tenants.domain.bolt_ons import BoltOnVisibility, OfferedBoltOn
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.models import BoltOn, BoltOnVersion, TenantBoltOn
from src.tenants.plan_events import BoltOnGiven, BoltOnRemoved
from src.tenants.queries.bolt_ons import find_bolt_on


class GiveBoltOn(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on in the version that was looked at."""

    key: str
    version_id: UUID
    note: str = ""


class RemoveBoltOn(msgspec.Struct, frozen=True, kw_only=True):
    """The holding that was looked at: one that was given anew since then is another."""

    key: str
    held_id: UUID
    note: str = ""


class BoltOnTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of a bolt-on holds. Prices are in the platform's one currency."""

    monthly_minor: int
    yearly_minor: int
    features: frozenset[Feature]
    increments: dict[Limit, int]


class BoltOnFace(msgspec.Struct, frozen=True, kw_only=True):
    """What all versions of a bolt-on share."""

    name: str
    summary: str
    visibility: BoltOnVisibility
    active: bool


class EditBoltOn(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that was made looking at `based_on_version`."""

    key: str
    based_on_version: int
    face: BoltOnFace
    terms: BoltOnTerms


async def give_bolt_on(uow: UnitOfWork, ctx: RequestContext, cmd: GiveBoltOn) -> UUID:
    """Gives the transaction's tenant the bolt-on, at once; its open request for it is done.

    Raises: NotFound; Conflict when the tenant has it already, when it was edited meanwhile, or when
    it goes to nobody any more.
    """
    bolt_on = await _as_looked_at(uow, cmd)
    now, held_id = uow.clock.now(), new_id()
    made = await uow.session.execute(
        insert(TenantBoltOn)
        .values(
            tenant_id=uow.tenant,
            id=held_id,
            bolt_on_id=bolt_on.bolt_on_id,
            version_id=bolt_on.version_id,
            since=now,
            given_by=ctx.user_id,
            note=cmd.note,
        )
        .on_conflict_do_nothing(
            index_elements=["tenant_id", "bolt_on_id"], index_where=text("ended_at IS NULL")
        )
        .returning(TenantBoltOn.id)
    )
    if made.first() is None:
        raise Conflict(_("The business has this bolt-on already."))
    # Locks the tenant's row, as asking does: of both at once either sees the other.
    await renew_entitlements(uow)
    closed = await close_bolt_on_requests(uow, ctx, bolt_on.bolt_on_id)
    detail = {
        "bolt_on": f"{bolt_on.key} v{bolt_on.version}",
        "name": bolt_on.name,
        "note": cmd.note,
        "closed_requests": closed,
    }
    await _log(uow, ctx, "given", held_id, detail)
    uow.record(BoltOnGiven(held_id=held_id, name=bolt_on.name))
    return held_id


async def remove_bolt_on(uow: UnitOfWork, ctx: RequestContext, cmd: RemoveBoltOn) -> str:
    """Takes the bolt-on from the transaction's tenant, at once; what was sold or given to guests
    with it stays. For the tenant's owner as for an admin.

    Returns its name. Raises: NotFound, Conflict when it was removed already.
    """
    bolt_on = await find_bolt_on(uow, cmd.key)
    if bolt_on is None:
        raise NotFound(_("There is no such bolt-on."))
    ended = await uow.session.execute(
        update(TenantBoltOn)
        .where(
            TenantBoltOn.tenant_id == uow.tenant,
            TenantBoltOn.id == cmd.held_id,
            TenantBoltOn.bolt_on_id == bolt_on.bolt_on_id,
            TenantBoltOn.ended_at.is_(None),
        )
        .values(ended_at=uow.clock.now(), ended_by=ctx.user_id)
        .returning(TenantBoltOn.id)
    )
    if ended.first() is None:
        await _explain(uow, cmd)
    await renew_entitlements(uow)
    detail = {"bolt_on": bolt_on.key, "name": bolt_on.name, "note": cmd.note}
    await _log(uow, ctx, "removed", cmd.held_id, detail)
    by_platform = ctx.actor.role is None
    uow.record(
        BoltOnRemoved(
            held_id=cmd.held_id, name=bolt_on.name, by=ctx.actor.name, by_platform=by_platform
        )
    )
    return bolt_on.name


async def edit_bolt_on(uow: UnitOfWork, ctx: RequestContext, cmd: EditBoltOn) -> OfferedBoltOn:
    """Saves the edit; other terms make the next version, and tenants keep the one they took.

    Returns the bolt-on as it is offered now.
    Raises: NotFound, Conflict when someone else edited it meanwhile, InvalidInput.
    """
    bolt_on = await uow.session.scalar(
        select(BoltOn).where(BoltOn.key == cmd.key).with_for_update(key_share=True)
    )
    before = await find_bolt_on(uow, cmd.key)
    if bolt_on is None or before is None:
        raise NotFound(_("There is no such bolt-on."))
    if before.version != cmd.based_on_version:
        raise Conflict(
            _("Someone else has changed this bolt-on in the meantime. Here it is as it is now.")
        )
    _check(cmd.terms)
    await _show(uow, bolt_on, cmd.face)
    if terms_of(before) != cmd.terms:
        uow.session.add(_version(uow, ctx, before, cmd.terms))
    await uow.session.flush()
    after = await find_bolt_on(uow, cmd.key)
    assert after is not None
    audit_platform(uow, ctx, "bolt_on.edited", f"bolt_on:{cmd.key}", **_difference(before, after))
    return after


def terms_of(bolt_on: OfferedBoltOn) -> BoltOnTerms:
    """The terms of a bolt-on's newest version."""
    return BoltOnTerms(
        monthly_minor=bolt_on.monthly_minor,
        yearly_minor=bolt_on.yearly_minor,
        features=bolt_on.features,
        increments=bolt_on.increments,
    )


async def _as_looked_at(uow: UnitOfWork, cmd: GiveBoltOn) -> OfferedBoltOn:
    bolt_on = await find_bolt_on(uow, cmd.key)
    if bolt_on is None:
        raise NotFound(_("There is no such bolt-on."))
    if bolt_on.version_id != cmd.version_id:
        raise Conflict(
            _("Someone else has changed this bolt-on in the meantime. Here it is as it is now.")
        )
    if not bolt_on.active:
        raise Conflict(_("This bolt-on is not given to anybody any more."))
    return bolt_on


async def _explain(uow: UnitOfWork, cmd: RemoveBoltOn) -> None:
    """Raises: what kept the bolt-on from being removed."""
    if await uow.session.get(TenantBoltOn, (uow.tenant, cmd.held_id)) is None:
        raise NotFound(_("There is nothing here."))
    raise Conflict(_("This bolt-on was removed already."))


async def _log(
    uow: UnitOfWork, ctx: RequestContext, verb: str, held_id: UUID, detail: dict[str, Any]
) -> None:
    """In the platform's log and in the tenant's."""
    audit_platform(uow, ctx, f"tenant.bolt_on_{verb}", f"tenant:{uow.tenant}", **detail)
    await audit(uow, ctx, f"plan.bolt_on_{verb}", "tenant_bolt_on", held_id, **detail)


def _check(terms: BoltOnTerms) -> None:
    fields: dict[str, str] = {}
    if terms.yearly_minor > terms.monthly_minor * 12:
        fields["yearly"] = _("A year costs more here than twelve single months.")
    if not terms.features and not terms.increments:
        fields["features"] = _("Please choose a feature, or a limit that it raises.")
    if fields:
        raise InvalidInput(_("Something in the form needs another look."), fields=fields)


_RENAME = text("""
    UPDATE tenants SET entitlements = jsonb_set(entitlements, '{bolt_ons}', (
        SELECT jsonb_agg(CASE WHEN one ->> 'key' = :key
                         THEN jsonb_set(one, '{name}', to_jsonb(CAST(:name AS text)))
                         ELSE one END ORDER BY place)
        FROM jsonb_array_elements(entitlements -> 'bolt_ons') WITH ORDINALITY AS x (one, place)))
    WHERE entitlements @> jsonb_build_object('bolt_ons',
          jsonb_build_array(jsonb_build_object('key', CAST(:key AS text))))
""")


async def _show(uow: UnitOfWork, bolt_on: BoltOn, face: BoltOnFace) -> None:
    """The name is in every snapshot that has the bolt-on, so a new one goes there too."""
    if bolt_on.name != face.name:
        await uow.session.execute(_RENAME, {"key": bolt_on.key, "name": face.name})
    bolt_on.name, bolt_on.summary = face.name, face.summary
    bolt_on.visibility, bolt_on.active = face.visibility.value, face.active


def _version(
    uow: UnitOfWork, ctx: RequestContext, before: OfferedBoltOn, terms: BoltOnTerms
) -> BoltOnVersion:
    return BoltOnVersion(
        id=new_id(),
        bolt_on_id=before.bolt_on_id,
        version=before.version + 1,
        monthly_minor=terms.monthly_minor,
        yearly_minor=terms.yearly_minor,
        currency=before.currency,
        features=sorted(feature.value for feature in terms.features),
        limit_increments={limit.value: more for limit, more in terms.increments.items()},
        created_at=uow.clock.now(),
        created_by=ctx.actor.user_id,
    )


def _difference(before: OfferedBoltOn, after: OfferedBoltOn) -> dict[str, Any]:
    """What the edit changed, each as [before, after], in JSON's terms."""
    old: dict[str, Any] = msgspec.to_builtins(before, str_keys=True)
    new: dict[str, Any] = msgspec.to_builtins(after, str_keys=True)
    for document in (old, new):
        document["features"].sort()
    return {name: [old[name], new[name]] for name in old if old[name] != new[name]}
