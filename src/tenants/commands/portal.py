"""Asking for a way into a guest's own pages, and entering once by its code or its link.

A row is written for every address that somebody types, known or not, and looked at in the same way,
so that neither the answer nor its time tells which are a customer's. Whose address it is, the job
finds out that mails the code, and whoever enters.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, delete, select, update

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Gone
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.customers import normalise_email
from src.tenants.domain.portal import CODE_LIFETIME, MOST_TRIES, SENT_AGAIN_WITH, is_code
from src.tenants.events import PortalCodeAsked
from src.tenants.models import PortalCode
from src.tenants.portal_links import PortalLink
from src.tenants.queries.portal import Proved, find_portal_guest, find_proved


class NotEntered(msgspec.Struct, frozen=True):
    """A code that let nobody in; without any `tries_left` no code will, from this asking:
    `too_many` were wrong, or it was used or is too old.
    """

    tries_left: int
    too_many: bool = False


async def ask_for_code(uow: UnitOfWork, email: str, asked_before: UUID | None = None) -> UUID:
    """Lets a mail with code and link leave if the address is a customer's. Returns the row's id.

    What the same browser asked for the same address before is sent again while there is time left:
    of two mails, either one's code is right then.
    """
    now = uow.clock.now()
    code_id = None if asked_before is None else await _still_good(uow, asked_before, now)
    if code_id is None:
        code_id = new_id()
        uow.session.add(
            PortalCode(
                tenant_id=uow.tenant,
                id=code_id,
                asked_at=now,
                expires_at=now + CODE_LIFETIME,
                tries=0,
            )
        )
    address = normalise_email(email)
    uow.record(PortalCodeAsked(code_id=code_id, email=address, asked_id=new_id()))
    return code_id


async def _still_good(uow: UnitOfWork, code_id: UUID, now: datetime) -> UUID | None:
    found: UUID | None = await uow.session.scalar(
        select(PortalCode.id).where(
            *_is_open(uow, code_id),
            PortalCode.tries < MOST_TRIES,
            PortalCode.expires_at >= now + SENT_AGAIN_WITH,
        )
    )
    return found


async def enter_by_code(
    uow: UnitOfWork, secrets: Sequence[str], code_id: UUID, address: str, typed: str
) -> Proved | NotEntered:
    """Whose address is proved, for a session. Each try is counted, right ones too, and the row is
    locked by that: of many at once no more than `MOST_TRIES` are looked at, and one enters.
    """
    tries = await uow.session.scalar(
        update(PortalCode)
        .where(*_is_open(uow, code_id), PortalCode.tries < MOST_TRIES)
        .values(tries=PortalCode.tries + 1)
        .returning(PortalCode.tries)
    )
    proved = await find_proved(uow, normalise_email(address))
    is_right = is_code(secrets, uow.tenant, code_id, typed)
    if tries is None:
        return NotEntered(0, await _were_too_many(uow, code_id))
    if proved is None or not is_right:
        return NotEntered(MOST_TRIES - tries, tries == MOST_TRIES)
    await _use(uow, code_id)
    return proved


async def _were_too_many(uow: UnitOfWork, code_id: UUID) -> bool:
    found = await uow.session.scalar(
        select(PortalCode.id).where(*_is_open(uow, code_id), PortalCode.tries >= MOST_TRIES)
    )
    return found is not None


async def enter_by_link(uow: UnitOfWork, link: PortalLink) -> Proved:
    """Whose address is proved, for a session; wrong codes typed elsewhere do not end a link.

    Raises: Gone when it was used, is over, or was mailed to an address that is theirs no longer.
    """
    if await find_portal_guest(uow, link.proved) is None:
        raise link_is_over()
    if not await _use(uow, link.code_id):
        raise link_is_over()
    return link.proved


async def is_open_link(uow: UnitOfWork, link: PortalLink) -> bool:
    """Whether the link still lets somebody in; looking changes nothing."""
    found = await uow.session.scalar(select(PortalCode.id).where(*_is_open(uow, link.code_id)))
    return found is not None


def _is_open(uow: UnitOfWork, code_id: UUID) -> list[ColumnElement[bool]]:
    return [
        PortalCode.tenant_id == uow.tenant,
        PortalCode.id == code_id,
        PortalCode.used_at.is_(None),
        PortalCode.expires_at >= uow.clock.now(),
    ]


async def _use(uow: UnitOfWork, code_id: UUID) -> bool:
    """Whether it was still to be used; it is not any more."""
    used = await uow.session.scalar(
        update(PortalCode)
        .where(*_is_open(uow, code_id))
        .values(used_at=uow.clock.now())
        .returning(PortalCode.id)
    )
    return used is not None


def link_is_over() -> Gone:
    return Gone(
        _("This link was used already, or is too old. Please ask for a new one."),
        code="link_used",
    )


async def prune_portal_codes(uow: UnitOfWork, before: datetime, most: int) -> int:
    """Deletes at most `most` askings that were over before `before`. Returns how many."""
    oldest = (
        select(PortalCode.id)
        .where(PortalCode.tenant_id == uow.tenant, PortalCode.expires_at < before)
        .order_by(PortalCode.expires_at)
        .limit(most)
    )
    gone = await uow.session.execute(
        delete(PortalCode)
        .where(PortalCode.tenant_id == uow.tenant, PortalCode.id.in_(oldest))
        .returning(PortalCode.id),
        execution_options={"synchronize_session": False},
    )
    return len(gone.all())
