"""Moving several guests of a session to another date of its service."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.booking.commands.swap import swap_by_staff
from src.booking.queries.handing_on import list_holders_of
from src.booking.queries.roster_moves import (
    list_against,
    list_move_targets,
    list_swap_targets,
)
from src.booking.views.roster_actions import Chosen, MoveTarget
from src.booking.web.roster import ONE
from src.booking.web.roster_chosen import (
    POST_OPTIONS,
    AnyRequest,
    BulkView,
    SeatIds,
    ask,
    each_order,
    look_at,
    outcome,
    ticked,
    whom,
)
from src.booking.web.toll_words import Fact, holder_mails, holders_words
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.platform.services import Services
from src.platform.web.formats import date_range, money, number
from src.platform.web.forms import Bound, bind, read_form
from src.tenants.context import RequestContext


class MoveSeatsForm(msgspec.Struct):
    """`seen` is the target's sequence as it was shown. Nothing is done before `sure`."""

    seat_ids: SeatIds = []
    to_session_id: UUID | None = None
    seen: int | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""
    sure: bool = False


class MoveView(BulkView, frozen=True, kw_only=True):
    """`target` is None until one is chosen; `against` says why some of them cannot come there, and
    `holders` who has a place of those who can that was handed on to them: it ends with the date.
    """

    targets: list[MoveTarget]
    options: list[tuple[str, str]]
    target: MoveTarget | None
    against: dict[UUID, list[str]]
    reason: str
    holders: list[tuple[str, str]]

    @property
    def facts(self) -> list[Fact]:
        """What comes of it, once a date is chosen."""
        return [] if self.target is None else _facts(self, self.target)

    @property
    def movable(self) -> list[Chosen]:
        return [one for one in self.chosen if one.order_id not in self.against]

    @property
    def names(self) -> dict[UUID, str]:
        """Who of each order is chosen."""
        return {one.order_id: whom(one) for one in self.chosen}

    @staticmethod
    def people(chosen: list[Chosen]) -> int:
        """How many sit in the chosen seats."""
        return sum(len(one.seat_ids) for one in chosen)


@post(ONE + "/seats/move", **POST_OPTIONS, shown_at=ONE)
async def move_chosen_seats(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Asks where to, shows what it means for each, then moves them order by order."""
    bound = bind(MoveSeatsForm, await read_form(request))
    form = bound.struct
    view = await _view(services, ctx, session_id, bound)
    target = view.target
    if form is None or target is None or not form.sure or view.why_not:
        return ask(request, "move", view)

    async def act(one: Chosen) -> None:
        cmd = MoveSeats(
            order_id=one.order_id,
            seat_ids=one.seat_ids,
            session_id=target.session_id,
            seen_sequence=form.seen,
            by="staff",
            why=form.reason.strip(),
        )
        async with services.uow_factory(ctx.here.id) as uow:
            if target.is_swap:
                moved.extend((await swap_by_staff(uow, ctx, cmd)).seat_ids)
            else:
                moved.extend(await move_by_staff(uow, ctx, cmd))

    moved: list[UUID] = []
    failures = await each_order(view.chosen, act)
    when = date_range(target.starts_at, target.ends_at, view.zone)
    said = ngettext(
        "%(num)s place is on %(when)s now.",
        "%(num)s places are on %(when)s now.",
        len(moved),
        when=when,
    )
    return outcome(request, view, said if moved else "", failures)


async def _view(
    services: Services, ctx: RequestContext, session_id: UUID, bound: Bound[MoveSeatsForm]
) -> MoveView:
    """Raises: NotFound for a seat of another session, or a target of another business."""
    view = await look_at(services, ctx, session_id, bound, ticked(bound))
    form, against, holders = bound.struct, {}, list[tuple[str, str]]()
    async with services.uow_factory(ctx.here.id) as uow:
        targets = await list_move_targets(uow, view.session.service_id, session_id)
        known = [session_id, *(one.session_id for one in targets)]
        swaps = await list_swap_targets(uow, ctx.here, view.chosen, known)
        targets += swaps
        wanted = None if form is None else form.to_session_id
        if wanted is not None:
            is_swap = any(one.session_id == wanted for one in swaps)
            against = await list_against(uow, ctx.here, view.chosen, wanted, is_swap=is_swap)
            holders = await _holders(
                uow, [one for one in view.chosen if one.order_id not in against]
            )
    target = next((one for one in targets if one.session_id == wanted), None)
    if view.why_not is None and not targets:
        view = msgspec.structs.replace(
            view,
            why_not=_("No other date of this service has room. Publish one, or raise the seats."),
        )
    if bound.struct is not None and wanted is not None and target is None:
        bound = bound.with_errors({"to_session_id": _("That date cannot be chosen.")})
    elif wanted is None and bound.values("to_session_id") and not bound.errors:
        bound = bound.with_errors({"to_session_id": _("Choose a date.")})
    return MoveView(
        **{name: getattr(view, name) for name in BulkView.__struct_fields__ if name != "form"},
        form=bound,
        targets=targets,
        options=[(str(one.session_id), _label(one, view.zone)) for one in targets],
        target=target,
        against={
            order_id: [reason.owner_sentence for reason in reasons]
            for order_id, reasons in against.items()
        },
        reason="" if form is None else form.reason,
        holders=holders,
    )


async def _holders(uow: UnitOfWork, moving: list[Chosen]) -> list[tuple[str, str]]:
    """Who has places of theirs that were handed on, by name and address."""
    seat_ids = [seat_id for one in moving for seat_id in one.seat_ids]
    found = (await list_holders_of(uow, seat_ids)).values()
    return sorted((one.name, one.address) for one in found if one.address)


def _facts(view: MoveView, target: MoveTarget) -> list[Fact]:
    session = view.session
    from_words = " · ".join(part for part in (session.service_name, session.title) if part)
    from_when = date_range(session.starts_at, session.ends_at, view.zone)
    to_when = date_range(target.starts_at, target.ends_at, view.zone)
    stays = _("None moves. What they paid counts for the new date.")
    if target.is_swap:
        stays = _("None moves. A credit for the old date pays the new one.")
    facts = [
        (_("From"), f"{from_words}, {from_when}"),
        (_("To"), " · ".join(part for part in (target.name, target.title, to_when) if part)),
        (_("Places there"), _("%(left)s left", left=number(target.left))),
    ]
    if not view.movable:
        return facts
    way_out = _(
        "Whoever is moved may leave the new date without any charge, whatever your terms say:"
        " all that it cost comes back."
    )
    if owed_minor := sum(one.owed_minor for one in view.movable):
        owed = money(owed_minor, view.currency)
        stays = f"{stays} {_('%(amount)s is still to be paid, as before.', amount=owed)}"
    facts += [(_("Money"), stays), (_("Way out"), way_out)]
    mailed = sum(1 for one in view.movable if one.email)
    moved = ngettext(
        "%(num)s, with the calendar entry moved", "%(num)s, with the calendar entry moved", mailed
    )
    said = "; ".join(part for part in (moved if mailed else "", holder_mails(view.holders)) if part)
    facts.append((_("Mails"), said or _("none")))
    if view.holders:
        facts.append((_("Handed on"), _lost(view.holders)))
    return facts


def _lost(holders: list[tuple[str, str]]) -> str:
    """Who had a guest's place, and that they have it no more."""
    who = holders_words(holders)
    return ngettext("%(who)s. It ends.", "%(who)s. They end.", len(set(holders)), who=who)


def _label(target: MoveTarget, zone: str) -> str:
    left = ngettext("%(num)s place left", "%(num)s places left", target.left)
    when = date_range(target.starts_at, target.ends_at, zone)
    return " · ".join(part for part in (when, target.name, target.title, left) if part)


route_handlers = [move_chosen_seats]
