"""Changing the words of a mail, and going back to the shipped ones."""

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert

from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.wording import Wording, wording_errors
from src.tenants.models import MailWording
from src.tenants.worded_mails import MailKind, find_mail_kind


def get_mail_kind(key: str) -> MailKind:
    """Raises: NotFound."""
    kind = find_mail_kind(key)
    if kind is None:
        raise NotFound(_("There is no such mail."))
    return kind


def check_wording(kind: MailKind, wording: Wording) -> None:
    """Raises: InvalidInput, which names the first placeholder that the mail does not have."""
    errors = wording_errors(wording, kind.names, kind.needed)
    if errors:
        raise InvalidInput(_("The words cannot be saved like this."), fields=errors)


async def word_mail(
    uow: UnitOfWork,
    ctx: RequestContext,
    key: str,
    locale: str,
    wording: Wording,
    proposal: Wording | None = None,
) -> bool:
    """From now on the mail has these words in that language. Returns whether it does: not where
    they are the `proposal` and the mail has no words of its own yet.

    Raises: NotFound, InvalidInput.
    """
    kind = get_mail_kind(key)
    check_wording(kind, wording)
    own = _words_of(uow, key, locale)
    is_proposal = proposal is not None and _is_same(wording, proposal)
    if is_proposal and await uow.session.scalar(select(MailWording.id).where(*own)) is None:
        return False
    words = {"subject": " ".join(wording.subject.split()), "body": wording.body.strip()}
    row = insert(MailWording).values(
        tenant_id=uow.tenant,
        id=new_id(),
        kind=key,
        locale=locale,
        changed_at=uow.clock.now(),
        **words,
    )
    changed = {**words, "changed_at": uow.clock.now()}
    await uow.session.execute(
        row.on_conflict_do_update(constraint="uq_mail_wordings_kind_locale", set_=changed)
    )
    await audit(uow, ctx, "mail.worded", "mail", None, name=key, language=locale)
    return True


async def reset_mail(uow: UnitOfWork, ctx: RequestContext, key: str, locale: str) -> None:
    """The shipped words again. Raises: NotFound."""
    get_mail_kind(key)
    gone = await uow.session.execute(
        delete(MailWording).where(*_words_of(uow, key, locale)).returning(MailWording.id)
    )
    if gone.all():
        await audit(uow, ctx, "mail.reset", "mail", None, name=key, language=locale)


def _words_of(uow: UnitOfWork, key: str, locale: str) -> list[ColumnElement[bool]]:
    return [
        MailWording.tenant_id == uow.tenant,
        MailWording.kind == key,
        MailWording.locale == locale,
    ]


def _is_same(one: Wording, other: Wording) -> bool:
    """But for white space."""
    return [one.subject.split(), one.body.split()] == [other.subject.split(), other.body.split()]
