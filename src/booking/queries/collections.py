"""Collections for their owner: the list, what is in one, and what opens when one is gone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import func, select, true

from src.billing.domain.package_drafts import Purpose
from src.billing.models import Package
from src.booking.domain.collections import Access, Thing, ThingKind, access_of
from src.booking.domain.kinds import ServiceKind, Visibility
from src.booking.models import Collection, CollectionItem, Series, Service, Session
from src.booking.views.collections import CollectionRow, ItemRow, ThingChoice
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _


async def list_collections(uow: UnitOfWork) -> list[CollectionRow]:
    """All of them, in their order."""
    count = (
        select(func.count())
        .where(
            CollectionItem.tenant_id == Collection.tenant_id,
            CollectionItem.collection_id == Collection.id,
        )
        .correlate(Collection)
        .scalar_subquery()
    )
    found = await uow.session.execute(
        select(Collection, count)
        .where(Collection.tenant_id == uow.tenant)
        .order_by(Collection.position, Collection.id)
    )
    rows = found.tuples().all()
    return [
        _row(one, how_many, is_first=number == 0, is_last=number == len(rows) - 1)
        for number, (one, how_many) in enumerate(rows)
    ]


async def get_collection_row(uow: UnitOfWork, collection_id: UUID) -> CollectionRow:
    """Raises: NotFound."""
    found = [one for one in await list_collections(uow) if one.id == collection_id]
    if not found:
        raise NotFound(_("There is no such collection."))
    return found[0]


def _row(collection: Collection, count: int, *, is_first: bool, is_last: bool) -> CollectionRow:
    return CollectionRow(
        id=collection.id,
        title=collection.title,
        slug=collection.slug,
        cover_text=collection.cover_text,
        listed_in_portal=collection.listed_in_portal,
        established_only=collection.established_only,
        active=collection.active,
        count=count,
        is_first=is_first,
        is_last=is_last,
    )


async def list_offerable(uow: UnitOfWork, *, only_current: bool = False) -> list[ThingChoice]:
    """All that can be put into a collection, by kind and name; `only_current` leaves out series
    without a date to come.
    """
    services = await uow.session.scalars(
        select(Service).where(Service.tenant_id == uow.tenant).order_by(Service.name, Service.id)
    )
    coming = select(Session.series_id).where(
        Session.tenant_id == uow.tenant,
        Session.series_id.is_not(None),
        Session.starts_at >= uow.clock.now(),
    )
    series = await uow.session.execute(
        select(Series, Service.name)
        .join(Service, (Service.tenant_id == Series.tenant_id) & (Service.id == Series.service_id))
        .where(Series.tenant_id == uow.tenant, Series.id.in_(coming) if only_current else true())
        .order_by(Series.published_at.is_(None), Service.name, Series.title, Series.id)
    )
    packages = await uow.session.scalars(
        select(Package)
        .where(Package.tenant_id == uow.tenant, Package.purpose == str(Purpose.SALE))
        .order_by(Package.position, Package.name, Package.id)
    )
    by_appointment, groups = list[ThingChoice](), list[ThingChoice]()
    for one in services:
        is_group = one.kind == ServiceKind.GROUP
        group = _("Group services") if is_group else _("Appointments")
        note = _note(active=one.active, visibility=one.visibility)
        choice = _choice(ThingKind.SERVICE, one.id, one.name, group, note)
        (groups if is_group else by_appointment).append(choice)
    return [
        *by_appointment,
        *groups,
        *(
            _choice(
                ThingKind.SERIES,
                one.id,
                f"{name} · {one.title}",
                _("Series"),
                _note(
                    active=one.active,
                    visibility=one.visibility,
                    is_published=one.published_at is not None,
                ),
            )
            for one, name in series.tuples()
        ),
        *(
            _choice(
                ThingKind.PACKAGE,
                one.id,
                one.name,
                _("Packages"),
                _note(active=one.active, visibility=one.visibility),
            )
            for one in packages
        ),
    ]


def _choice(kind: ThingKind, thing_id: UUID, name: str, group: str, note: str) -> ThingChoice:
    return ThingChoice(thing=Thing(kind, thing_id), name=name, group=group, note=note)


def _note(*, active: bool, visibility: str, is_published: bool = True) -> str:
    """Why guests do not see it, empty where nothing is in the way of that."""
    if not is_published:
        return _("not published yet")
    if not active:
        return _("switched off")
    return _("hidden") if visibility == Visibility.HIDDEN else ""


async def list_items(uow: UnitOfWork, base: str, collection_id: UUID) -> list[ItemRow]:
    """What is in it, in order, each with the page where it is looked after."""
    found = await uow.session.scalars(
        select(CollectionItem)
        .where(
            CollectionItem.tenant_id == uow.tenant, CollectionItem.collection_id == collection_id
        )
        .order_by(CollectionItem.position, CollectionItem.id)
    )
    items = [(one, thing_of(one)) for one in found]
    known = {choice.thing: choice for choice in await list_offerable(uow)}
    access = await access_by_thing(uow)
    shown = [(item, known[thing]) for item, thing in items if thing in known]
    return [
        ItemRow(
            id=item.id,
            thing=choice.thing,
            name=choice.name,
            group=choice.group,
            href=f"{base}/{_page(choice.thing)}",
            is_kept=access.get(choice.thing) is Access.ESTABLISHED,
            why=choice.note,
            is_first=number == 0,
            is_last=number == len(shown) - 1,
        )
        for number, (item, choice) in enumerate(shown)
    ]


def _page(thing: Thing) -> str:
    pages = {
        ThingKind.SERVICE: f"services/{thing.id}/edit",
        ThingKind.SERIES: f"series/{thing.id}",
        ThingKind.PACKAGE: f"packages/{thing.id}",
    }
    return pages[thing.kind]


def thing_of(item: CollectionItem) -> Thing:
    if item.service_id is not None:
        return Thing(ThingKind.SERVICE, item.service_id)
    if item.series_id is not None:
        return Thing(ThingKind.SERIES, item.series_id)
    assert item.package_id is not None
    return Thing(ThingKind.PACKAGE, item.package_id)


async def access_by_thing(uow: UnitOfWork, *, without: UUID | None = None) -> dict[Thing, Access]:
    """For whom each thing is that is in any collection; `without` one that is about to go."""
    statement = (
        select(CollectionItem, Collection.established_only)
        .join(
            Collection,
            (Collection.tenant_id == CollectionItem.tenant_id)
            & (Collection.id == CollectionItem.collection_id),
        )
        .where(CollectionItem.tenant_id == uow.tenant, Collection.active)
    )
    if without is not None:
        statement = statement.where(Collection.id != without)
    found = await uow.session.execute(statement)
    flags: defaultdict[Thing, list[bool]] = defaultdict(list)
    for item, established_only in found.tuples():
        flags[thing_of(item)].append(established_only)
    return _with_services({thing: access_of(said) for thing, said in flags.items()}, await _of(uow))


async def _of(uow: UnitOfWork) -> dict[UUID, UUID]:
    """The service of each series."""
    found = await uow.session.execute(
        select(Series.id, Series.service_id).where(Series.tenant_id == uow.tenant)
    )
    return {row.id: row.service_id for row in found}


def _with_services(
    own: Mapping[Thing, Access], service_of: Mapping[UUID, UUID]
) -> dict[Thing, Access]:
    """A series is kept with its service, in whichever collection it is itself."""
    access = dict(own)
    for series_id, service_id in service_of.items():
        of_service = own.get(Thing(ThingKind.SERVICE, service_id), Access.OPEN)
        if of_service is Access.ESTABLISHED:
            access[Thing(ThingKind.SERIES, series_id)] = Access.ESTABLISHED
    return access


def opened(before: Mapping[Thing, Access], after: Mapping[Thing, Access]) -> list[Thing]:
    """What was kept for known customers and is for everybody then."""
    return _became(before, after, Access.OPEN)


def closed(before: Mapping[Thing, Access], after: Mapping[Thing, Access]) -> list[Thing]:
    """What was for everybody and is kept for known customers then."""
    return _became(before, after, Access.ESTABLISHED)


def _became(
    before: Mapping[Thing, Access], after: Mapping[Thing, Access], now: Access
) -> list[Thing]:
    things = dict.fromkeys((*before, *after))
    return [
        one
        for one in things
        if after.get(one, Access.OPEN) is now and before.get(one, Access.OPEN) is not now
    ]


async def names_of(uow: UnitOfWork, things: Iterable[Thing]) -> list[str]:
    """By kind and name, as the owner knows them."""
    wanted = set(things)
    if not wanted:
        return []
    return [one.name for one in await list_offerable(uow) if one.thing in wanted]
