"""The people and places that sessions are given to."""

from collections.abc import Awaitable, Callable
from typing import NoReturn
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.models import Location, Member, Performer
from src.tenants.queries.settings import guests_there
from src.tenants.views.settings import GuestsThere

LONGEST_NAME, LONGEST_ADDRESS = 100, 300
LARGEST_ROOM = 100_000
READ_BY_GUESTS = frozenset({"name", "address"})


def _performer_name_taken() -> InvalidInput:
    sentence = _("There is a performer of this name already.")
    return InvalidInput(sentence, fields={"name": sentence})


def _location_name_taken() -> InvalidInput:
    sentence = _("There is a place of this name already.")
    return InvalidInput(sentence, fields={"name": sentence})


register_constraint("uq_performers_name", _performer_name_taken)
register_constraint("uq_locations_name", _location_name_taken)


class PerformerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A performer as typed; `user_id` is the member they are."""

    name: str
    user_id: UUID | None = None


class LocationDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A place as typed; `room_capacity` None has no bound of its own."""

    name: str
    address: str = ""
    room_capacity: int | None = None
    is_online: bool = False


class TellsGuests(Conflict):
    """The place is another one for guests who come there, and nobody said that they are told."""

    code = "tells_guests"

    def __init__(self, there: GuestsThere) -> None:
        super().__init__(_("Guests come to this place, and have to be told."))
        self.there = there


LocationFollower = Callable[[UnitOfWork, RequestContext, UUID, str, str], Awaitable[None]]
_followers: dict[str, LocationFollower] = {}


def register_location_follower(name: str, follower: LocationFollower) -> None:
    """`follower(uow, ctx, location_id, name, address)` comes last in the transaction that makes a
    place another one for guests; it is given what the place was called until then.
    """
    _followers[name] = follower


async def add_performer(uow: UnitOfWork, ctx: RequestContext, cmd: PerformerDetails) -> UUID:
    """Raises: InvalidInput for a name that will not do, or somebody who is no member."""
    performer_id = new_id()
    name = await _checked_performer(uow, cmd, performer_id)
    uow.session.add(
        Performer(
            tenant_id=uow.tenant,
            id=performer_id,
            name=name,
            user_id=cmd.user_id,
            created_at=uow.clock.now(),
        )
    )
    await audit(uow, ctx, "performer.added", "performer", performer_id, name=name)
    return performer_id


async def change_performer(
    uow: UnitOfWork, ctx: RequestContext, performer_id: UUID, cmd: PerformerDetails
) -> None:
    """Raises: NotFound; InvalidInput as for a new one."""
    performer = await _performer(uow, performer_id)
    name = await _checked_performer(uow, cmd, performer_id)
    if (performer.name, performer.user_id) == (name, cmd.user_id):
        return
    before, performer.name, performer.user_id = performer.name, name, cmd.user_id
    detail = {"name": name, "before": before}
    await audit(uow, ctx, "performer.changed", "performer", performer_id, **detail)


async def set_performer_active(
    uow: UnitOfWork, ctx: RequestContext, performer_id: UUID, active: bool
) -> str:
    """Offers the performer for new sessions or not; nothing they have is taken. Raises: NotFound.

    Returns the name.
    """
    performer = await _performer(uow, performer_id)
    if performer.active != active:
        performer.active = active
        action = "performer.activated" if active else "performer.deactivated"
        await audit(uow, ctx, action, "performer", performer_id, name=performer.name)
    return performer.name


async def add_location(uow: UnitOfWork, ctx: RequestContext, cmd: LocationDetails) -> UUID:
    """Raises: InvalidInput with every field that will not do."""
    location_id = new_id()
    wanted = await _checked_location(uow, cmd, location_id)
    uow.session.add(
        Location(
            tenant_id=uow.tenant,
            id=location_id,
            created_at=uow.clock.now(),
            **msgspec.structs.asdict(wanted),
        )
    )
    await audit(uow, ctx, "location.added", "location", location_id, name=wanted.name)
    return location_id


async def change_location(
    uow: UnitOfWork,
    ctx: RequestContext,
    location_id: UUID,
    cmd: LocationDetails,
    *,
    tell_guests: bool = False,
) -> None:
    """Sessions that are published keep their capacity; guests are told of another name or address.

    Raises: NotFound, InvalidInput; TellsGuests where there are some and nobody said that they are
    to be told; Conflict when one of the place's sessions changes meanwhile.
    """
    location = await _location(uow, location_id)
    wanted = msgspec.structs.asdict(await _checked_location(uow, cmd, location_id))
    changed = sorted(key for key, value in wanted.items() if getattr(location, key) != value)
    if not changed:
        return
    was = location.name, location.address
    is_another = not READ_BY_GUESTS.isdisjoint(changed)
    if is_another and not tell_guests:
        there = await guests_there(uow, location_id, uow.clock.now())
        if there.guests:
            raise TellsGuests(there)
    for key in changed:
        setattr(location, key, wanted[key])
    detail = {"name": location.name, "changed": changed}
    await audit(uow, ctx, "location.changed", "location", location_id, **detail)
    if is_another:
        await uow.session.flush()
        for follower in _followers.values():
            await follower(uow, ctx, location_id, *was)


async def set_location_active(
    uow: UnitOfWork, ctx: RequestContext, location_id: UUID, active: bool
) -> str:
    """Offers the place for new sessions or not; those it has stay. Raises: NotFound.

    Returns the name.
    """
    location = await _location(uow, location_id)
    if location.active != active:
        location.active = active
        action = "location.activated" if active else "location.deactivated"
        await audit(uow, ctx, action, "location", location_id, name=location.name)
    return location.name


async def _performer(uow: UnitOfWork, performer_id: UUID) -> Performer:
    found = await uow.session.scalar(
        select(Performer)
        .where(Performer.tenant_id == uow.tenant, Performer.id == performer_id)
        .with_for_update()
    )
    if found is None:
        raise NotFound(_("There is no such performer."))
    return found


async def _location(uow: UnitOfWork, location_id: UUID) -> Location:
    """Locked, but not its key: unless the name becomes another, sessions may come meanwhile."""
    found = await uow.session.scalar(
        select(Location)
        .where(Location.tenant_id == uow.tenant, Location.id == location_id)
        .with_for_update(key_share=True)
    )
    if found is None:
        raise NotFound(_("There is no such place."))
    return found


async def _checked_performer(uow: UnitOfWork, cmd: PerformerDetails, performer_id: UUID) -> str:
    """The tidy name. Two spellings of one name are refused here, equal ones by the database too."""
    wrong: dict[str, str] = {}
    name = " ".join(cmd.name.split())
    twin = select(Performer.id).where(
        Performer.tenant_id == uow.tenant,
        func.lower(Performer.name) == name.lower(),
        Performer.id != performer_id,
    )
    if not 1 <= len(name) <= LONGEST_NAME:
        wrong["name"] = _name_sentence()
    elif await uow.session.scalar(twin.limit(1)) is not None:
        wrong["name"] = _performer_name_taken().message
    if cmd.user_id is not None:
        wrong |= await _check_member(uow, cmd.user_id, performer_id)
    if wrong:
        _refuse(wrong)
    return name


async def _check_member(uow: UnitOfWork, user_id: UUID, performer_id: UUID) -> dict[str, str]:
    member = select(Member.id).where(Member.tenant_id == uow.tenant, Member.user_id == user_id)
    if await uow.session.scalar(member) is None:
        return {"user_id": _("Please choose a member from the list.")}
    other = select(Performer.name).where(
        Performer.tenant_id == uow.tenant,
        Performer.user_id == user_id,
        Performer.id != performer_id,
    )
    name = await uow.session.scalar(other.limit(1))
    if name is None:
        return {}
    return {"user_id": _("This member is %(name)s already.", name=name)}


async def _checked_location(
    uow: UnitOfWork, cmd: LocationDetails, location_id: UUID
) -> LocationDetails:
    """The place with its texts made tidy."""
    wrong: dict[str, str] = {}
    name, address = " ".join(cmd.name.split()), cmd.address.strip()
    twin = select(Location.id).where(
        Location.tenant_id == uow.tenant,
        func.lower(Location.name) == name.lower(),
        Location.id != location_id,
    )
    if not 1 <= len(name) <= LONGEST_NAME:
        wrong["name"] = _name_sentence()
    elif await uow.session.scalar(twin.limit(1)) is not None:
        wrong["name"] = _location_name_taken().message
    wrong |= _address_problem(address, cmd.is_online)
    if cmd.room_capacity is not None and not 1 <= cmd.room_capacity <= LARGEST_ROOM:
        wrong["room_capacity"] = _(
            "Please give a number from 1 to %(most)s, or nothing.", most=LARGEST_ROOM
        )
    if wrong:
        _refuse(wrong)
    return msgspec.structs.replace(cmd, name=name, address=address)


def _address_problem(address: str, is_online: bool) -> dict[str, str]:
    if address and is_online:
        return {"address": _("An online place has no address. Please empty one of the two.")}
    if len(address) > LONGEST_ADDRESS:
        return {"address": _("Please use at most %(most)s characters.", most=LONGEST_ADDRESS)}
    return {}


def _name_sentence() -> str:
    return _("Please give a name of at most %(most)s characters.", most=LONGEST_NAME)


def _refuse(fields: dict[str, str]) -> NoReturn:
    raise InvalidInput(_("Please look at the marked fields."), fields=fields)
