"""The mail about what was written to a group, as each member reads it, and its words."""

from sqlalchemy import select

from src.booking.calendar_mails import newest_name
from src.booking.guest_links import group_post_path
from src.booking.models import Group, GroupPost
from src.booking.queries.group_readers import Reader
from src.booking.views.mails import GroupPostView
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.tenants.context import TenantSnapshot
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.domain.wording import POST, fill, paragraphs_of
from src.tenants.unsubscribe_links import unsubscribe_url
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    SHIPPED,
    MailKind,
    Placeholder,
    Preview,
    Wordings,
    register_mail_kind,
    render_worded,
)

NAME = "group_post"


def group_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    group: Group,
    post: GroupPost,
    to: Reader,
    wordings: Wordings = SHIPPED,
    *,
    way_out: str | None = None,
) -> Mail:
    """In the reader's language around words that are staff's own. `way_out` stands in for the
    reader's own way to end such mails where nobody is to use it.
    """
    locale = to.locale or tenant.locale
    values = {"customer_name": to.name, "business": tenant.name}
    own = unsubscribe_url(settings, tenant, to.customer_id, MailTopic.GROUPS, post.published_at)
    view = GroupPostView(
        locale=locale,
        from_name=tenant.name,
        contact=tenant.contact_email,
        guest_name=to.name,
        group=group.title,
        title=fill(post.title, values),
        paragraphs=[one.text for one in paragraphs_of(post.body, values, blocks=())],
        page_url=f"{settings.base_url}{group_post_path(tenant.slug, group.slug, post.id)}",
        unsubscribe_url=own if way_out is None else way_out,
    )
    words = render_worded(NAME, view, locale, wordings)
    return Mail(
        kind=NAME,
        to_address=to.address,
        to_name=to.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"{NAME}:{post.id}:{to.member_id}",
        unsubscribe_url=view.unsubscribe_url,
    )


async def _preview(uow: UnitOfWork, asked: Preview) -> Mail:
    """With the newest post, or one that is made up, to the newest customer. Its way out leads to
    the business's page and ends nothing.
    """
    found = await uow.session.execute(
        select(Group, GroupPost)
        .join(
            GroupPost,
            (GroupPost.tenant_id == Group.tenant_id) & (GroupPost.group_id == Group.id),
        )
        .where(Group.tenant_id == uow.tenant)
        .order_by(GroupPost.published_at.desc(), GroupPost.id.desc())
        .limit(1)
    )
    newest, name = found.first(), await newest_name(uow)
    with use_locale(asked.locale):
        group, post = (newest[0], newest[1]) if newest is not None else _made_up(uow)
        reader = Reader(
            member_id=new_id(),
            customer_id=new_id(),
            address="alex@example.com",
            name=name or _("Alex Example"),
            locale=asked.locale,
        )
    way_out = f"{asked.settings.base_url}/b/{asked.tenant.slug}"
    return group_mail(
        asked.settings, asked.tenant, group, post, reader, asked.wordings, way_out=way_out
    )


def _made_up(uow: UnitOfWork) -> tuple[Group, GroupPost]:
    now = uow.clock.now()
    group = Group(tenant_id=uow.tenant, id=new_id(), slug="group", title=_("Early birds"))
    post = GroupPost(
        tenant_id=uow.tenant,
        id=new_id(),
        group_id=group.id,
        title=_("We meet on the roof"),
        body=_("The weather stays fine on Saturday.\n\nBring something warm all the same."),
        published_at=now,
    )
    return group, post


def register_group_mail() -> None:
    register_mail_kind(
        MailKind(
            key=NAME,
            template="booking/group_post",
            title=N_("News of a group"),
            occasion=N_("When you write to a group and let it go by mail."),
            starter_subject=N_("{title} – {group}"),
            starter=N_(
                "Hello {customer_name},\n\nthere is something new in {group}.\n\n{post}\n\n"
                "{booking_link}"
            ),
            button=N_("Read it on the group's page"),
            placeholders=(
                CUSTOMER_NAME,
                BUSINESS,
                Placeholder(
                    name="group", label=N_("The group's title"), value=lambda view: view.group
                ),
                Placeholder(
                    name="title", label=N_("The title of the post"), value=lambda view: view.title
                ),
                Placeholder(
                    name=POST,
                    label=N_("What you wrote; alone in a paragraph, by its own paragraphs"),
                    value=lambda view: "\n\n".join(view.paragraphs),
                ),
                Placeholder(
                    name="booking_link",
                    label=N_("The group's page; alone in a paragraph, a button"),
                    value=lambda view: view.page_url,
                ),
                CONTACT,
            ),
            needed=(POST,),
            place=60,
            preview=_preview,
        )
    )
