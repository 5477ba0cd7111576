"""Making groups, and what makes people members of them.

The plan gates what offers more: a new group, a changed one, what gives it, switching one on.
Switching off and deleting need a role alone.
Source: docs/algorithms/groups.md.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, select, update

from src.booking.domain.collections import MOST_ITEMS, Thing, next_slug
from src.booking.domain.groups import GroupDraft, group_errors, slug_of_group
from src.booking.domain.seen import changed_since_seen, mark_of
from src.booking.models import Group, GroupGiver, GroupSlug
from src.booking.queries.collections import list_offerable
from src.booking.queries.groups import list_givers
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now

NEEDED = Feature.COLLECTIONS
"""No plan names groups by themselves: they are pages like collections, and come with them."""


def slug_taken() -> InvalidInput:
    sentence = _("Another group has this address; choose another.")
    return InvalidInput(sentence, fields={"slug": sentence})


def _changed_meanwhile() -> Conflict:
    return Conflict(_("The group has just been changed. Please look again."), code="group_changed")


def no_such_group() -> NotFound:
    return NotFound(_("There is no such group."))


register_constraint("uq_groups_slug", slug_taken)
register_constraint("uq_group_slugs_slug", slug_taken)
register_constraint("fk_group_members_tenant_id_group_id", no_such_group)
register_constraint("fk_group_posts_tenant_id_group_id", no_such_group)
for _name in ("service", "series", "package"):
    register_constraint(f"uq_group_givers_{_name}", _changed_meanwhile)
    register_constraint(f"fk_group_givers_tenant_id_{_name}_id", _changed_meanwhile)


async def create_group(
    uow: UnitOfWork, ctx: RequestContext, group_id: UUID, draft: GroupDraft
) -> None:
    """Makes the group, with nobody in it; the same id again makes no second one.

    Raises: PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, NEEDED)
    if await uow.session.get(Group, (uow.tenant, group_id)) is not None:
        return
    slug = draft.slug or await _free_slug(uow, slug_of_group(draft.title))
    await _check(uow, draft, slug, None)
    now = uow.clock.now()
    uow.session.add(
        Group(
            tenant_id=uow.tenant,
            id=group_id,
            slug=slug,
            title=draft.title.strip(),
            about=draft.about.strip(),
            shows_members=draft.shows_members,
            created_at=now,
            updated_at=now,
        )
    )
    await uow.session.flush()
    await audit(uow, ctx, "group.created", "group", group_id, name=draft.title.strip())


async def change_group(
    uow: UnitOfWork, ctx: RequestContext, group_id: UUID, draft: GroupDraft, seen: str = ""
) -> None:
    """Takes effect at once. An address that it had before leads to it from then on. `seen` is the
    mark of what the editor was shown.

    Raises: NotFound, PlanLimitReached, InvalidInput; Conflict where somebody has changed it
    meanwhile.
    """
    await require_feature_now(uow, ctx, NEEDED)
    group = await lock_group(uow, group_id)
    slug = draft.slug or group.slug
    columns = {
        "slug": slug,
        "title": draft.title.strip(),
        "about": draft.about.strip(),
        "shows_members": draft.shows_members,
    }
    changed = [name for name, value in columns.items() if getattr(group, name) != value]
    if not changed:
        return
    if seen and seen != mark_of_group(group):
        raise changed_since_seen()
    await _check(uow, draft, slug, group)
    if "slug" in changed:
        await _keep_address(uow, group, slug)
    for name in changed:
        setattr(group, name, columns[name])
    said = ["page_slug" if name == "slug" else name for name in changed]
    await _note(uow, ctx, "group.changed", group, name=group.title, changed=said)


def mark_of_group(group: Group) -> str:
    """Of what an editor shows of it."""
    return mark_of((group.title, group.slug, group.about, group.shows_members))


async def set_givers(
    uow: UnitOfWork,
    ctx: RequestContext,
    group_id: UUID,
    things: Sequence[Thing],
    seen: str = "",
) -> None:
    """Whoever buys one of them from now on becomes a member. Nobody is taken in for what they have
    bought before, and nobody leaves because a thing is not among them any more. `seen` is the mark
    of those that were shown as chosen.

    Raises: NotFound, PlanLimitReached; InvalidInput at `things`; Conflict where somebody has chosen
    others meanwhile.
    """
    await require_feature_now(uow, ctx, NEEDED)
    group = await lock_group(uow, group_id)
    had, wanted = set(await list_givers(uow, group_id)), set(things)
    if had == wanted:
        return
    if seen and seen != mark_of_things(had):
        raise changed_since_seen()
    known = {choice.thing for choice in await list_offerable(uow)}
    said = ""
    if not known.issuperset(wanted):
        said = _("Please choose among what there is.")
    elif len(wanted) > MOST_ITEMS:
        said = _("Please choose %(num)s at the most.", num=MOST_ITEMS)
    if said:
        raise InvalidInput(said, fields={"things": said})
    for gone in had - wanted:
        await uow.session.execute(
            delete(GroupGiver).where(
                GroupGiver.tenant_id == uow.tenant,
                GroupGiver.group_id == group_id,
                getattr(GroupGiver, f"{gone.kind}_id") == gone.id,
            )
        )
    ids = {"tenant_id": uow.tenant, "group_id": group_id}
    for one in sorted(wanted - had):
        column = {f"{one.kind}_id": one.id}
        giver = GroupGiver(**ids, id=new_id(), **column, since=uow.clock.now())
        uow.session.add(giver)
    await _note(uow, ctx, "group.givers_changed", group, name=group.title)


def mark_of_things(things: Iterable[Thing]) -> str:
    return mark_of(sorted(one.key for one in things))


async def set_group_active(
    uow: UnitOfWork, ctx: RequestContext, group_id: UUID, *, active: bool
) -> str:
    """Returns its title. What was bought while it was off takes nobody in afterwards. Switching off
    needs no plan.

    Raises: NotFound, PlanLimitReached.
    """
    group = await lock_group(uow, group_id)
    if active:
        await require_feature_now(uow, ctx, NEEDED)
    if group.active != active:
        group.active = active
        if active:
            await _give_from_now_on(uow, group_id)
        done = "group.switched_on" if active else "group.switched_off"
        await _note(uow, ctx, done, group, name=group.title)
    return group.title


async def _give_from_now_on(uow: UnitOfWork, group_id: UUID) -> None:
    await uow.session.execute(
        update(GroupGiver)
        .where(GroupGiver.tenant_id == uow.tenant, GroupGiver.group_id == group_id)
        .values(since=uow.clock.now())
        .execution_options(synchronize_session=False)
    )


async def delete_group(uow: UnitOfWork, ctx: RequestContext, group_id: UUID) -> str:
    """Takes the group away with who is in it and what was written to it; nothing that was bought.
    Returns its title. Raises: NotFound.
    """
    group = await lock_group(uow, group_id)
    title = group.title
    await uow.session.delete(group)
    await audit(uow, ctx, "group.deleted", "group", group_id, name=title)
    await uow.session.flush()
    return title


async def lock_group(uow: UnitOfWork, group_id: UUID) -> Group:
    """Whoever changes the same group takes turns. Raises: NotFound."""
    found = await uow.session.get(
        Group, (uow.tenant, group_id), with_for_update=True, populate_existing=True
    )
    if found is None:
        raise no_such_group()
    return found


async def hold_group(uow: UnitOfWork, group_id: UUID) -> Group:
    """It is neither changed nor deleted before COMMIT; many may hold it at once. Whoever has rows
    of it locked and adds others holds it first, for who deletes it begins with it too.

    Raises: NotFound.
    """
    found = await uow.session.scalar(
        select(Group)
        .where(Group.tenant_id == uow.tenant, Group.id == group_id)
        .with_for_update(read=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise no_such_group()
    return found


async def get_group(uow: UnitOfWork, group_id: UUID) -> Group:
    """Raises: NotFound."""
    found = await uow.session.get(Group, (uow.tenant, group_id))
    if found is None:
        raise no_such_group()
    return found


async def _note(
    uow: UnitOfWork, ctx: RequestContext, action: str, group: Group, **detail: object
) -> None:
    group.updated_at = uow.clock.now()
    await audit(uow, ctx, action, "group", group.id, **detail)
    await uow.session.flush()


async def _check(uow: UnitOfWork, draft: GroupDraft, slug: str, group: Group | None) -> None:
    """Raises: InvalidInput."""
    fields = group_errors(GroupDraft(title=draft.title, slug=slug, about=draft.about))
    if "slug" not in fields and (group is None or group.slug != slug):
        owner = None if group is None else group.id
        fields |= slug_taken().fields if await _is_taken(uow, slug, owner) else {}
    if fields:
        raise InvalidInput(_("The group cannot be saved like this."), fields=fields)


async def _is_taken(uow: UnitOfWork, slug: str, owner: UUID | None = None) -> bool:
    """By another one, which has it or had it: links that were given out lead there."""
    now = select(Group.id).where(Group.tenant_id == uow.tenant, Group.slug == slug)
    before = select(GroupSlug.group_id).where(
        GroupSlug.tenant_id == uow.tenant, GroupSlug.slug == slug
    )
    found = (await uow.session.scalars(now.union_all(before))).all()
    return any(one != owner for one in found)


async def _free_slug(uow: UnitOfWork, wanted: str) -> str:
    slug, number = wanted, 1
    while await _is_taken(uow, slug):
        number += 1
        slug = next_slug(wanted, number)
    return slug


async def _keep_address(uow: UnitOfWork, group: Group, slug: str) -> None:
    """The one it had leads on; one that it takes again is its own once more."""
    await uow.session.execute(
        delete(GroupSlug).where(GroupSlug.tenant_id == uow.tenant, GroupSlug.slug == slug)
    )
    uow.session.add(
        GroupSlug(tenant_id=uow.tenant, id=new_id(), group_id=group.id, slug=group.slug)
    )
