"""Agreements as their owner writes, publishes and asks for them.

What was published stays as it is, and so does who signed it.
Source: docs/algorithms/agreements.md.
"""

from collections.abc import Collection
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import delete, exists, func, select

from src.billing.models import Package
from src.booking.domain.agreements import (
    MOST_ASKED,
    AgreementDraft,
    as_shown,
    draft_errors,
    sha256_of,
)
from src.booking.domain.seen import changed_since_seen, mark_of
from src.booking.domain.service_rules import numbered, slug_for
from src.booking.models import Agreement, AgreementNeed, AgreementVersion, Series, Service
from src.platform.db.constraints import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

Thing = Literal["service", "series", "package"]
NOTHING_NEW = "nothing_new"
_TABLES: dict[Thing, type[Service] | type[Series] | type[Package]] = {
    "service": Service,
    "series": Series,
    "package": Package,
}
_COLUMNS: dict[Thing, Any] = {
    "service": AgreementNeed.service_id,
    "series": AgreementNeed.series_id,
    "package": AgreementNeed.package_id,
}
_FIELDS: dict[Thing, str] = {
    "service": "service_ids",
    "series": "series_ids",
    "package": "package_ids",
}


class AskedBy(msgspec.Struct, frozen=True, kw_only=True):
    """All that asks for one agreement."""

    service_ids: frozenset[UUID] = frozenset()
    series_ids: frozenset[UUID] = frozenset()
    package_ids: frozenset[UUID] = frozenset()

    def of(self, thing: Thing) -> frozenset[UUID]:
        found: frozenset[UUID] = getattr(self, _FIELDS[thing])
        return found


def slug_taken() -> InvalidInput:
    sentence = _("There is an agreement at this address already.")
    return InvalidInput(sentence, fields={"slug": sentence})


register_constraint("uq_agreements_slug", slug_taken)


async def create_agreement(uow: UnitOfWork, agreement_id: UUID, draft: AgreementDraft) -> None:
    """Writes it down; nobody is asked for it before it is published. The same id again makes no
    second one.

    Raises: InvalidInput.
    """
    if await uow.session.get(Agreement, (uow.tenant, agreement_id)) is not None:
        return
    await _check(uow, draft, agreement_id)
    slug = draft.slug or await _free_slug(uow, slug_for(draft.title))
    now = uow.clock.now()
    uow.session.add(
        Agreement(
            tenant_id=uow.tenant,
            id=agreement_id,
            slug=slug,
            title=draft.title.strip(),
            draft=as_shown(draft.text),
            created_at=now,
            updated_at=now,
        )
    )
    await uow.session.flush()


async def change_agreement(
    uow: UnitOfWork,
    agreement_id: UUID,
    draft: AgreementDraft,
    seen: str = "",
) -> None:
    """Changes what is being written; guests see it once it is published. `seen` is the mark of what
    the editor was shown.

    Raises: NotFound, InvalidInput; Conflict where somebody has changed it meanwhile.
    """
    row = await _lock(uow, agreement_id)
    wanted = AgreementDraft(
        title=draft.title.strip(), slug=draft.slug or row.slug, text=as_shown(draft.text)
    )
    if wanted == draft_of(row):
        return
    if seen and seen != mark_of_draft(row):
        raise changed_since_seen()
    await _check(uow, wanted, agreement_id)
    row.title, row.slug, row.draft = wanted.title, wanted.slug, wanted.text
    row.updated_at = uow.clock.now()
    await uow.session.flush()


def draft_of(row: Agreement) -> AgreementDraft:
    return AgreementDraft(title=row.title, slug=row.slug, text=row.draft)


def mark_of_draft(row: Agreement) -> str:
    """Another one as soon as what is being written has changed."""
    return mark_of(draft_of(row))


async def publish_agreement(
    uow: UnitOfWork, ctx: RequestContext, agreement_id: UUID, shown: str
) -> int:
    """Makes the draft the version that holds, and returns its number. `shown` is the hash of the
    text that whoever publishes has read.

    Whoever is signing the former one is waited for, and whoever comes after is asked for this one.
    Raises: NotFound; Conflict, with the code `nothing_new` where the text is the one that holds,
    and else where the draft is not what was shown.
    """
    row = await _lock(uow, agreement_id)
    newest = await find_newest_version(uow, agreement_id)
    sha256 = sha256_of(row.draft)
    if newest is not None and newest.text == row.draft:
        raise Conflict(
            _(
                "The text is the same as in version %(number)s, so there is nothing to publish."
                " Nobody is asked again.",
                number=newest.number,
            ),
            code=NOTHING_NEW,
        )
    if shown != sha256:
        raise changed_since_seen()
    number = 1 if newest is None else newest.number + 1
    row.updated_at = uow.clock.now()
    uow.session.add(
        AgreementVersion(
            tenant_id=uow.tenant,
            id=new_id(),
            agreement_id=agreement_id,
            number=number,
            title=row.title,
            text=row.draft,
            sha256=sha256,
            published_at=row.updated_at,
            published_by=ctx.actor.name,
        )
    )
    await audit(
        uow,
        ctx,
        "agreement.published",
        "agreement",
        agreement_id,
        name=row.title,
        version=number,
        sha256=sha256,
    )
    await uow.session.flush()
    return number


async def set_agreement_active(
    uow: UnitOfWork, ctx: RequestContext, agreement_id: UUID, *, active: bool
) -> str:
    """Whether guests are asked for it; who signed stays. Returns its title. Raises: NotFound."""
    row = await _lock(uow, agreement_id)
    if row.active != active:
        row.active, row.updated_at = active, uow.clock.now()
        done = "agreement.switched_on" if active else "agreement.switched_off"
        await audit(uow, ctx, done, "agreement", agreement_id, name=row.title)
    return row.title


async def ask_for_agreement(
    uow: UnitOfWork, ctx: RequestContext, agreement_id: UUID, asked: AskedBy
) -> None:
    """From now on just these ask for it.

    Raises: NotFound; InvalidInput at the list with something that is not there, or another
    business's, or that asks for too many.
    """
    row = await _lock(uow, agreement_id)
    is_changed = False
    things: tuple[Thing, ...] = ("service", "series", "package")
    for thing in things:
        column = _COLUMNS[thing]
        found = await uow.session.scalars(
            select(column).where(
                AgreementNeed.tenant_id == uow.tenant,
                AgreementNeed.agreement_id == agreement_id,
                column.is_not(None),
            )
        )
        known = {one for one in found if one is not None}
        wanted = asked.of(thing)
        await _check_things(uow, thing, wanted - known)
        is_changed |= await _ask(uow, thing, agreement_id, wanted - known, known - wanted)
    if is_changed:
        await audit(uow, ctx, "agreement.asked_for", "agreement", agreement_id, name=row.title)


async def set_agreements_of(
    uow: UnitOfWork,
    ctx: RequestContext,
    thing: Thing,
    thing_id: UUID,
    agreement_ids: Collection[UUID],
) -> None:
    """From now on this service, series or package asks for just these.

    Raises: NotFound; InvalidInput at `agreement_ids` for one that is not there, or too many.
    """
    if await uow.session.get(_TABLES[thing], (uow.tenant, thing_id)) is None:
        raise NotFound(_("There is no such page."))
    column, wanted = _COLUMNS[thing], set(agreement_ids)
    found = await uow.session.scalars(
        select(AgreementNeed.agreement_id).where(
            AgreementNeed.tenant_id == uow.tenant, column == thing_id
        )
    )
    known = set(found)
    there = set(
        await uow.session.scalars(
            select(Agreement.id)
            .where(Agreement.tenant_id == uow.tenant, Agreement.id.in_(wanted | known))
            .order_by(Agreement.id)
            .with_for_update(key_share=True)
        )
    )
    if not wanted <= there:
        sentence = _("One of these is not there any more. Please choose again.")
        raise InvalidInput(sentence, fields={"agreement_ids": sentence})
    if len(wanted) > MOST_ASKED:
        raise InvalidInput(_too_many(), fields={"agreement_ids": _too_many()})
    for agreement_id in sorted(wanted ^ known):
        is_new = agreement_id in wanted
        added, gone = ({thing_id}, set()) if is_new else (set(), {thing_id})
        await _ask(uow, thing, agreement_id, added, gone)
        row = await uow.session.get_one(Agreement, (uow.tenant, agreement_id))
        await audit(uow, ctx, "agreement.asked_for", "agreement", agreement_id, name=row.title)


async def get_agreement(uow: UnitOfWork, agreement_id: UUID) -> Agreement:
    """Raises: NotFound."""
    row = await uow.session.get(Agreement, (uow.tenant, agreement_id))
    if row is None:
        raise no_such_agreement()
    return row


def no_such_agreement() -> NotFound:
    return NotFound(_("There is no such agreement."))


async def find_newest_version(uow: UnitOfWork, agreement_id: UUID) -> AgreementVersion | None:
    """The one that holds; None before the first is published."""
    found: AgreementVersion | None = await uow.session.scalar(
        select(AgreementVersion)
        .where(
            AgreementVersion.tenant_id == uow.tenant,
            AgreementVersion.agreement_id == agreement_id,
        )
        .order_by(AgreementVersion.number.desc())
        .limit(1)
    )
    return found


async def _lock(uow: UnitOfWork, agreement_id: UUID) -> Agreement:
    """Against whoever publishes it or signs it; what merely refers to it is not held up."""
    row: Agreement | None = await uow.session.scalar(
        select(Agreement)
        .where(Agreement.tenant_id == uow.tenant, Agreement.id == agreement_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise no_such_agreement()
    return row


async def _ask(
    uow: UnitOfWork,
    thing: Thing,
    agreement_id: UUID,
    added: Collection[UUID],
    gone: Collection[UUID],
) -> bool:
    """Returns whether anything has changed."""
    column = _COLUMNS[thing]
    if gone:
        await uow.session.execute(
            delete(AgreementNeed).where(
                AgreementNeed.tenant_id == uow.tenant,
                AgreementNeed.agreement_id == agreement_id,
                column.in_(gone),
            )
        )
    for one in sorted(added):
        uow.session.add(
            AgreementNeed(
                tenant_id=uow.tenant,
                id=new_id(),
                agreement_id=agreement_id,
                **{f"{thing}_id": one},
            )
        )
    await uow.session.flush()
    return bool(added or gone)


async def _check_things(uow: UnitOfWork, thing: Thing, ids: Collection[UUID]) -> None:
    """Raises: InvalidInput at the list of the things."""
    if not ids:
        return
    table, column, field = _TABLES[thing], _COLUMNS[thing], _FIELDS[thing]
    known = await uow.session.scalars(
        select(table.id).where(table.tenant_id == uow.tenant, table.id.in_(ids))
    )
    if set(known) != set(ids):
        sentence = _("One of these is not there any more. Please choose again.")
        raise InvalidInput(sentence, fields={field: sentence})
    full = exists(
        select(column)
        .where(AgreementNeed.tenant_id == uow.tenant, column.in_(ids))
        .group_by(column)
        .having(func.count() >= MOST_ASKED)
    )
    if await uow.session.scalar(select(full)):
        raise InvalidInput(_too_many(), fields={field: _too_many()})


def _too_many() -> str:
    return _("At most %(limit)s agreements can be asked for at once.", limit=MOST_ASKED)


async def _check(uow: UnitOfWork, draft: AgreementDraft, agreement_id: UUID) -> None:
    """Raises: InvalidInput."""
    fields = draft_errors(draft)
    if "slug" not in fields and draft.slug and await _is_taken(uow, draft.slug, agreement_id):
        fields |= slug_taken().fields
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)


async def _is_taken(uow: UnitOfWork, slug: str, agreement_id: UUID | None = None) -> bool:
    taken = exists().where(
        Agreement.tenant_id == uow.tenant, Agreement.slug == slug, Agreement.id != agreement_id
    )
    return bool(await uow.session.scalar(select(taken)))


async def _free_slug(uow: UnitOfWork, wanted: str) -> str:
    slug, number = wanted, 1
    while await _is_taken(uow, slug, new_id()):
        number += 1
        slug = numbered(wanted, number)
    return slug
