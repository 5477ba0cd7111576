"""Making collections, and what is in them.

The plan gates what offers more: a new one, a changed one, one more thing in it, switching one on.
Taking out, putting in order, switching off and deleting need a role alone.
Source: docs/algorithms/collections.md.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select

from src.booking.domain.collections import (
    MOST_ITEMS,
    CollectionDraft,
    Thing,
    collection_errors,
    moved,
    next_slug,
    slug_of_title,
)
from src.booking.models import Collection, CollectionItem, CollectionSlug
from src.booking.queries.collections import list_offerable
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now


def slug_taken() -> InvalidInput:
    sentence = _("Another collection has this address; choose another.")
    return InvalidInput(sentence, fields={"slug": sentence})


def _changed_meanwhile() -> Conflict:
    return Conflict(
        _("The collection has just been changed. Please look again."), code="collection_changed"
    )


register_constraint("uq_collections_slug", slug_taken)
register_constraint("uq_collection_slugs_slug", slug_taken)
for _name in ("service", "series", "package"):
    register_constraint(f"uq_collection_items_{_name}", _changed_meanwhile)
    register_constraint(f"fk_collection_items_tenant_id_{_name}_id", _changed_meanwhile)


async def create_collection(
    uow: UnitOfWork,
    ctx: RequestContext,
    collection_id: UUID,
    draft: CollectionDraft,
    things: Sequence[Thing] = (),
) -> None:
    """Makes the collection, on its page at once; the same id again makes no second one. Without a
    `slug` it gets one after its title.

    Raises: PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.COLLECTIONS)
    if await uow.session.get(Collection, (uow.tenant, collection_id)) is not None:
        return
    slug = draft.slug or await _free_slug(uow, slug_of_title(draft.title))
    await _check(uow, draft, slug, None)
    now = uow.clock.now()
    last = select(func.max(Collection.position)).where(Collection.tenant_id == uow.tenant)
    uow.session.add(
        Collection(
            tenant_id=uow.tenant,
            id=collection_id,
            slug=slug,
            title=draft.title.strip(),
            cover_text=draft.cover_text.strip(),
            listed_in_portal=draft.listed_in_portal,
            established_only=draft.established_only,
            position=(await uow.session.scalar(last) or 0) + 1,
            created_at=now,
            updated_at=now,
        )
    )
    await uow.session.flush()
    await _append(uow, collection_id, things)
    detail = {"name": draft.title.strip(), "items": len(things)}
    await audit(uow, ctx, "collection.created", "collection", collection_id, **detail)


async def change_collection(
    uow: UnitOfWork, ctx: RequestContext, collection_id: UUID, draft: CollectionDraft
) -> None:
    """Takes effect at once. An address that it had before leads to it from then on.

    Raises: NotFound, PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.COLLECTIONS)
    collection = await _lock(uow, collection_id)
    slug = draft.slug or collection.slug
    await _check(uow, draft, slug, collection)
    columns = {
        "slug": slug,
        "title": draft.title.strip(),
        "cover_text": draft.cover_text.strip(),
        "listed_in_portal": draft.listed_in_portal,
        "established_only": draft.established_only,
    }
    changed = [name for name, value in columns.items() if getattr(collection, name) != value]
    if not changed:
        return
    if "slug" in changed:
        await _keep_address(uow, collection, slug)
    for name in changed:
        setattr(collection, name, columns[name])
    said = ["page_slug" if name == "slug" else name for name in changed]
    detail = {"name": collection.title, "changed": said}
    await _note(uow, ctx, "collection.changed", collection, **detail)


async def add_to_collection(
    uow: UnitOfWork, ctx: RequestContext, collection_id: UUID, things: Sequence[Thing]
) -> int:
    """Puts the things at its end, those that it has already left out; how many were added.

    Raises: NotFound, PlanLimitReached; InvalidInput at `things`.
    """
    await require_feature_now(uow, ctx, Feature.COLLECTIONS)
    collection = await _lock(uow, collection_id)
    added = await _append(uow, collection_id, things)
    if added:
        await _note(uow, ctx, "collection.filled", collection, name=collection.title, count=added)
    return added


async def move_in_collection(
    uow: UnitOfWork, ctx: RequestContext, collection_id: UUID, item_id: UUID, *, up: bool
) -> None:
    """One place up or down; at the end of the way nothing moves. Raises: NotFound."""
    collection = await _lock(uow, collection_id)
    items = {item.id: item for item in await _items(uow, collection_id)}
    if item_id not in items:
        raise _no_such_item()
    before = list(items)
    after = moved(before, item_id, up=up)
    for position, one in enumerate(after, start=1):
        items[one].position = position
    if after != before:
        await _note(uow, ctx, "collection.ordered", collection, name=collection.title)


async def take_out_of_collection(
    uow: UnitOfWork, ctx: RequestContext, collection_id: UUID, item_id: UUID
) -> None:
    """It can be put in again. Raises: NotFound."""
    collection = await _lock(uow, collection_id)
    gone = await uow.session.execute(
        delete(CollectionItem)
        .where(
            CollectionItem.tenant_id == uow.tenant,
            CollectionItem.collection_id == collection_id,
            CollectionItem.id == item_id,
        )
        .returning(CollectionItem.id)
    )
    if gone.first() is None:
        raise _no_such_item()
    await _note(uow, ctx, "collection.emptied", collection, name=collection.title)


async def set_collection_active(
    uow: UnitOfWork, ctx: RequestContext, collection_id: UUID, *, active: bool
) -> str:
    """Returns its title. Switching off needs no plan. Raises: NotFound, PlanLimitReached."""
    collection = await _lock(uow, collection_id)
    if active:
        await require_feature_now(uow, ctx, Feature.COLLECTIONS)
    if collection.active != active:
        collection.active = active
        done = "collection.switched_on" if active else "collection.switched_off"
        await _note(uow, ctx, done, collection, name=collection.title)
    return collection.title


async def move_collection(
    uow: UnitOfWork, ctx: RequestContext, collection_id: UUID, *, up: bool
) -> None:
    """One place up or down among the business's others. Raises: NotFound.

    All of them are locked, by id, for two may be moved at once.
    """
    found = await uow.session.scalars(
        select(Collection)
        .where(Collection.tenant_id == uow.tenant)
        .order_by(Collection.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    by_id = {one.id: one for one in found}
    collection = by_id.get(collection_id)
    if collection is None:
        raise no_such_collection()
    before = sorted(by_id, key=lambda one: (by_id[one].position, one))
    after = moved(before, collection_id, up=up)
    for position, one in enumerate(after, start=1):
        by_id[one].position = position
    if after != before:
        await _note(uow, ctx, "collection.ordered", collection, name=collection.title)


async def delete_collection(uow: UnitOfWork, ctx: RequestContext, collection_id: UUID) -> str:
    """Takes the page away, and nothing that was on it; returns its title. Raises: NotFound."""
    collection = await _lock(uow, collection_id)
    await uow.session.delete(collection)
    await audit(uow, ctx, "collection.deleted", "collection", collection_id, name=collection.title)
    await uow.session.flush()
    return collection.title


async def get_collection(uow: UnitOfWork, collection_id: UUID) -> Collection:
    """Raises: NotFound."""
    found = await uow.session.get(Collection, (uow.tenant, collection_id))
    if found is None:
        raise no_such_collection()
    return found


def no_such_collection() -> NotFound:
    return NotFound(_("There is no such collection."))


def _no_such_item() -> NotFound:
    return NotFound(_("This is not in the collection any more."))


async def _lock(uow: UnitOfWork, collection_id: UUID) -> Collection:
    """Whoever changes the same collection takes turns: its order has no gaps and no doubles."""
    key = (uow.tenant, collection_id)
    found = await uow.session.get(Collection, key, with_for_update=True)
    if found is None:
        raise no_such_collection()
    return found


async def _note(
    uow: UnitOfWork, ctx: RequestContext, action: str, collection: Collection, **detail: object
) -> None:
    collection.updated_at = uow.clock.now()
    await audit(uow, ctx, action, "collection", collection.id, **detail)
    await uow.session.flush()


async def _items(uow: UnitOfWork, collection_id: UUID) -> Sequence[CollectionItem]:
    found = await uow.session.scalars(
        select(CollectionItem)
        .where(
            CollectionItem.tenant_id == uow.tenant, CollectionItem.collection_id == collection_id
        )
        .order_by(CollectionItem.position, CollectionItem.id)
    )
    return found.all()


async def _append(uow: UnitOfWork, collection_id: UUID, things: Sequence[Thing]) -> int:
    """Raises: InvalidInput at `things` for what cannot be offered, and for too many."""
    items = await _items(uow, collection_id)
    has = {one.service_id or one.series_id or one.package_id for one in items}
    wanted = [one for one in dict.fromkeys(things) if one.id not in has]
    if not wanted:
        return 0
    known = {choice.thing for choice in await list_offerable(uow)}
    said = ""
    if not known.issuperset(wanted):
        said = _("Please choose among what there is.")
    elif len(items) + len(wanted) > MOST_ITEMS:
        said = _("A collection has room for %(limit)s things.", limit=MOST_ITEMS)
    if said:
        raise InvalidInput(said, fields={"things": said})
    last = max((one.position for one in items), default=0)
    for position, one in enumerate(wanted, start=last + 1):
        uow.session.add(
            CollectionItem(
                tenant_id=uow.tenant,
                id=new_id(),
                collection_id=collection_id,
                position=position,
                **{f"{one.kind}_id": one.id},
            )
        )
    await uow.session.flush()
    return len(wanted)


async def _check(
    uow: UnitOfWork, draft: CollectionDraft, slug: str, collection: Collection | None
) -> None:
    """Raises: InvalidInput."""
    fields = collection_errors(
        CollectionDraft(title=draft.title, slug=slug, cover_text=draft.cover_text)
    )
    is_new = collection is None or collection.slug != slug
    if "slug" not in fields and is_new:
        owner = None if collection is None else collection.id
        fields |= slug_taken().fields if await _is_taken(uow, slug, owner) else {}
    if fields:
        raise InvalidInput(_("The collection cannot be saved like this."), fields=fields)


async def _is_taken(uow: UnitOfWork, slug: str, owner: UUID | None = None) -> bool:
    """By another one, which has it or had it: links that were given out lead there."""
    now = select(Collection.id).where(Collection.tenant_id == uow.tenant, Collection.slug == slug)
    before = select(CollectionSlug.collection_id).where(
        CollectionSlug.tenant_id == uow.tenant, CollectionSlug.slug == slug
    )
    found = (await uow.session.scalars(now.union_all(before))).all()
    return any(one != owner for one in found)


async def _free_slug(uow: UnitOfWork, wanted: str) -> str:
    slug, number = wanted, 1
    while await _is_taken(uow, slug):
        number += 1
        slug = next_slug(wanted, number)
    return slug


async def _keep_address(uow: UnitOfWork, collection: Collection, slug: str) -> None:
    """The one it had leads on; one that it takes again is its own once more."""
    await uow.session.execute(
        delete(CollectionSlug).where(
            CollectionSlug.tenant_id == uow.tenant, CollectionSlug.slug == slug
        )
    )
    uow.session.add(
        CollectionSlug(
            tenant_id=uow.tenant,
            id=new_id(),
            collection_id=collection.id,
            slug=collection.slug,
        )
    )
