"""What staff write to a group: published at once, and mailed where they want that, by a job.

The plan gates publishing and changing; deleting needs a role alone.
Source: docs/algorithms/groups.md.
"""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select

from src.booking.commands.groups import NEEDED, get_group, hold_group
from src.booking.domain.groups import PostDraft, post_errors
from src.booking.domain.seen import changed_since_seen, mark_of
from src.booking.events import GroupPosted
from src.booking.models import Group, GroupPost, GroupPostMail
from src.booking.queries.group_readers import Reader, list_readers
from src.platform.db.batch import insert_unless_taken
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound, Unavailable
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import LOOKS, keep_customers
from src.tenants.context import RequestContext
from src.tenants.gates import require_feature_now

_MAILS = cast(Table, GroupPostMail.__table__)


async def publish_post(
    uow: UnitOfWork,
    ctx: RequestContext,
    group_id: UUID,
    post_id: UUID,
    draft: PostDraft,
    *,
    mail: bool,
) -> None:
    """On the group's page at once; the same id again does nothing. With `mail` everybody who is a
    member now gets it once by mail, but for those who do without.

    Raises: NotFound, PlanLimitReached, InvalidInput; Conflict for a group that is switched off.
    """
    await require_feature_now(uow, ctx, NEEDED)
    group = await get_group(uow, group_id)
    if await uow.session.get(GroupPost, (uow.tenant, post_id)) is not None:
        return
    if not group.active:
        raise Conflict(_("The group is switched off, so nobody could read it."), code="group_off")
    _check(draft)
    uow.session.add(
        GroupPost(
            tenant_id=uow.tenant,
            id=post_id,
            group_id=group_id,
            title=" ".join(draft.title.split()),
            body=draft.body.strip(),
            is_mailed=mail,
            written_by=ctx.actor.name,
            published_at=uow.clock.now(),
        )
    )
    await uow.session.flush()
    await audit(uow, ctx, "group.posted", "group", group_id, name=group.title)
    if mail:
        uow.record(GroupPosted(post_id=post_id))


async def change_post(
    uow: UnitOfWork,
    ctx: RequestContext,
    group_id: UUID,
    post_id: UUID,
    draft: PostDraft,
    seen: str = "",
) -> None:
    """Says from then on that it was edited. No mail is sent again; those that have not left yet say
    what it says then. `seen` is the mark of what the editor was shown.

    Raises: NotFound, PlanLimitReached, InvalidInput; Conflict where somebody has changed it
    meanwhile.
    """
    await require_feature_now(uow, ctx, NEEDED)
    post = await lock_post(uow, post_id)
    if post is None or post.group_id != group_id:
        raise no_such_post()
    title, body = " ".join(draft.title.split()), draft.body.strip()
    if (post.title, post.body.splitlines()) == (title, body.splitlines()):
        return
    if seen and seen != mark_of_post(post):
        raise changed_since_seen()
    _check(draft)
    post.title, post.body, post.edited_at = title, body, uow.clock.now()
    await uow.session.flush()
    await audit(uow, ctx, "group.post_changed", "group", group_id, note=title)


def mark_of_post(post: GroupPost) -> str:
    """Of what an editor shows of it."""
    return mark_of((post.title, post.body))


async def delete_post(uow: UnitOfWork, ctx: RequestContext, group_id: UUID, post_id: UUID) -> None:
    """Nobody reads it any more, and who has no mail about it gets none. Raises: NotFound."""
    post = await lock_post(uow, post_id)
    if post is None or post.group_id != group_id:
        raise no_such_post()
    title = post.title
    await uow.session.delete(post)
    await uow.session.flush()
    await audit(uow, ctx, "group.post_deleted", "group", group_id, note=title)


async def get_post(uow: UnitOfWork, group_id: UUID, post_id: UUID) -> GroupPost:
    """Raises: NotFound."""
    found = await uow.session.get(GroupPost, (uow.tenant, post_id))
    if found is None or found.group_id != group_id:
        raise no_such_post()
    return found


def no_such_post() -> NotFound:
    return NotFound(_("There is no such post."))


async def lock_post(uow: UnitOfWork, post_id: UUID) -> GroupPost | None:
    """Two runs of its mailing follow each other, and a change does; None once it is deleted."""
    found: GroupPost | None = await uow.session.scalar(
        select(GroupPost)
        .where(GroupPost.tenant_id == uow.tenant, GroupPost.id == post_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found


async def lock_to_mail(uow: UnitOfWork, post_id: UUID) -> tuple[Group, GroupPost] | None:
    """The post with its group, which is held first, as by who deletes it; None once it is gone."""
    seen = await uow.session.get(GroupPost, (uow.tenant, post_id))
    if seen is None:
        return None
    try:
        group = await hold_group(uow, seen.group_id)
    except NotFound:
        return None
    post = await lock_post(uow, post_id)
    return None if post is None else (group, post)


async def hold_readers(uow: UnitOfWork, post: GroupPost, most: int) -> list[Reader]:
    """The next who are to be written to, none of whom is merged or erased before COMMIT.

    Raises: Unavailable while one merge or erasure follows another.
    """
    for _look in range(LOOKS):
        readers = await list_readers(uow, post, most)
        as_read = {one.customer_id: one.customer_id for one in readers}
        # Who was merged may have another address, and who was erased has none.
        if await keep_customers(uow, as_read) == as_read:
            return readers
    raise Unavailable(_("We are very busy just now. Please try again."), code="busy")


async def claim_readers(
    uow: UnitOfWork, post: GroupPost, readers: Sequence[Reader]
) -> list[Reader]:
    """Those of them that nobody has written to: who is returned is written to by this transaction
    alone.
    """
    by_id = {new_id(): one for one in readers}
    rows = [
        {
            "tenant_id": uow.tenant,
            "id": row_id,
            "post_id": post.id,
            "member_id": one.member_id,
            "written_at": uow.clock.now(),
        }
        for row_id, one in by_id.items()
    ]
    claimed = await insert_unless_taken(uow.session, _MAILS, rows, "uq_group_post_mails_member")
    return [one for row_id, one in by_id.items() if row_id in claimed]


def _check(draft: PostDraft) -> None:
    """Raises: InvalidInput."""
    if fields := post_errors(draft):
        raise InvalidInput(_("This cannot be published like this."), fields=fields)
