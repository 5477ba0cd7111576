"""Moving a session that has guests: what it means for whom, before it is done."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response

from src.booking.commands.sessions import UpdateSession, get_session
from src.booking.domain.moves import clocks_change_between
from src.booking.queries.moves import get_move_effect
from src.booking.views.sessions import MoveEffect, SeriesPlace
from src.booking.web.move_words import guest_facts
from src.booking.web.session_forms import SessionForm
from src.booking.web.session_reach import list_scopes
from src.booking.web.toll_words import Fact, toll_people
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.csrf import FIELD_NAME
from src.platform.web.formats import date_range, datetime_local, zone_short
from src.platform.web.forms import Bound
from src.platform.web.pages import page
from src.tenants.context import RequestContext, TenantSnapshot

NOT_TYPED = {FIELD_NAME, "move_guests", "reason", "scope", "seen"}


class MoveView(msgspec.Struct, frozen=True, kw_only=True):
    """What the move would do; `typed` is the editor's form, to be sent again as it is.

    `seen` is the state of the session that all of this is said of; `scopes`: which other dates may
    move as well.
    """

    form: Any
    typed: list[tuple[str, str]]
    seen: int
    session_id: UUID
    name: str
    stays: str
    facts: list[Fact]
    notes: list[str]
    people: list[Fact]
    more: int
    scopes: list[tuple[str, str]]
    base: str


async def move_page(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    bound: Bound[SessionForm],
    cmd: UpdateSession,
    notes: list[str],
) -> Response[bytes]:
    """The page that says so and asks; nothing is done yet."""
    async with services.uow_factory(ctx.here.id) as uow:
        effect = await get_move_effect(uow, ctx.here, cmd)
        reach = await list_scopes(uow, ctx, await get_session(uow, cmd.session_id))
    raw = bound.raw.items()
    view = MoveView(
        form=bound,
        typed=[(name, text) for name, texts in raw if name not in NOT_TYPED for text in texts],
        seen=effect.sequence,
        session_id=cmd.session_id,
        name=effect.name,
        stays=_stays(effect),
        facts=_facts(ctx.here, effect, cmd),
        notes=notes,
        people=toll_people(effect.toll, ctx.here.currency, ctx.here.zone),
        more=effect.toll.more,
        scopes=reach,
        base=f"/app/{ctx.here.slug}",
    )
    return page(request, "booking/sessions/move.html", view)


def _facts(here: TenantSnapshot, effect: MoveEffect, cmd: UpdateSession) -> list[Fact]:
    facts = [
        (_("Now"), date_range(effect.starts_at, effect.ends_at, here.zone)),
        (_("Then"), date_range(cmd.starts_at, cmd.ends_at, here.zone)),
    ]
    if clocks_change_between(effect.starts_at, cmd.starts_at, here.zone):
        facts.append((_("Clocks"), _clocks(here, effect, cmd)))
    if effect.places is not None:
        now, then = effect.places
        facts.append((_("Place"), _("now %(now)s, then %(then)s", now=now, then=then)))
    if effect.capacity[0] != effect.capacity[1]:
        facts.append((_("Number of seats"), _resized(*effect.capacity)))
    if effect.performer is not None:
        facts.append((_("Performer"), _("%(name)s, who is free then", name=effect.performer)))
    if effect.series is not None:
        facts += _series_facts(here, effect.series)
    facts.append((_("Bookable until"), datetime_local(effect.bookable_until, here.zone)))
    return [*facts, *guest_facts(effect.toll, effect.waiting)]


def _resized(now: int, then: int) -> str:
    return _("now %(now)s, then %(then)s", now=now, then=then)


def _stays(effect: MoveEffect) -> str:
    """What the editor leaves alone; the seats only where their number was not changed as well."""
    if effect.capacity[0] != effect.capacity[1]:
        return _("Nothing is done yet. Prices and the series stay as they are.")
    return _("Nothing is done yet. Seats, prices and the series stay as they are.")


def _clocks(here: TenantSnapshot, effect: MoveEffect, cmd: UpdateSession) -> str:
    return _(
        "they change in between, from %(before)s to %(after)s; these are times on the wall",
        before=zone_short(effect.starts_at, here.zone),
        after=zone_short(cmd.starts_at, here.zone),
    )


def _series_facts(here: TenantSnapshot, series: SeriesPlace) -> list[Fact]:
    where = _(
        "date %(place)s of %(dates)s in “%(title)s”",
        place=series.place,
        dates=series.dates,
        title=series.title,
    )
    if series.place_then != series.place:
        where = _("%(where)s; it becomes date %(place)s", where=where, place=series.place_then)
    facts = [(_("In the series"), where)]
    if series.joinable_until is not None:
        until = datetime_local(series.joinable_until, here.zone)
        facts.append((_("The series can be joined until"), until))
    return facts
