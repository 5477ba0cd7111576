"""/app/<slug>/sessions/<id>/several: one change for several sessions, looked at before."""

from datetime import datetime, time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.edit_several import (
    Change,
    EditSeveral,
    Scope,
    edit_several,
    list_refusals,
    plan_edit,
)
from src.booking.queries.on_offer import on_offer_in
from src.booking.queries.resources import Choice, list_location_choices, list_performer_choices
from src.booking.queries.sessions import get_session_detail
from src.booking.views.sessions import SessionDetail
from src.booking.web.roster import ONE
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
AnyRequest = Request[Any, Any, Any]
SEVERAL = ONE + "/several"


class SeveralForm(msgspec.Struct):
    """`change` names what is to be changed; everything else that stands in the form is left."""

    scope: Scope = Scope.FOLLOWING
    change: list[Annotated[str, Meta(max_length=20)]] = []
    start_time: time | None = None
    duration_minutes: int | None = None
    capacity: int | None = None
    title: Annotated[str, Meta(max_length=120)] = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None
    include_edited: bool = False
    reason: Annotated[str, Meta(max_length=500)] = ""
    looked: bool = False

    def command(self, session_id: UUID) -> EditSeveral:
        ticked = set(self.change)
        return EditSeveral(
            session_id=session_id,
            scope=self.scope,
            start_time=self.start_time if "time" in ticked else None,
            duration_minutes=self.duration_minutes if "duration" in ticked else None,
            capacity=self.capacity if "capacity" in ticked else None,
            title=self.title if "title" in ticked else None,
            changes_place="place" in ticked,
            location_id=self.location_id,
            changes_performer="performer" in ticked,
            performer_id=self.performer_id,
            include_edited=self.include_edited,
            reason=self.reason,
        )


class SeveralRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is reached, with what becomes of it; `why_not`: why it cannot be so."""

    starts_at: datetime
    ends_at: datetime
    then_starts_at: datetime
    then_ends_at: datetime
    title: str
    capacity: int
    then_capacity: int
    taken: int
    is_protected: bool
    is_same: bool
    why_not: str


class SeveralView(msgspec.Struct, frozen=True, kw_only=True):
    """The form, and once there is something to look at, every session that is reached."""

    form: Any
    session: SessionDetail
    rows: list[SeveralRow]
    changed: int
    refused: int
    guests: int
    parts: list[tuple[str, str]]
    scopes: list[tuple[str, str]]
    performers: list[Choice]
    locations: list[Choice]
    base: str
    here: str
    zone: str


@get(SEVERAL, guards=MAY_EDIT, include_in_schema=False)
async def show_several(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
    initial = {
        "start_time": to_local(session.starts_at, ctx.here.zone).time(),
        "duration_minutes": int((session.ends_at - session.starts_at).total_seconds() // 60),
        "capacity": session.capacity,
        "title": session.title,
        "location_id": session.location_id,
        "performer_id": session.performer_id,
    }
    return await _page(request, services, ctx, session, blank(SeveralForm, initial), [])


@post(SEVERAL, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def change_several(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """First every session that is reached; once these were looked at, the change."""
    bound = bind(SeveralForm, await read_form(request))
    form = bound.struct
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
    if form is None:
        return await _page(request, services, ctx, session, bound, [])
    if not set(form.change) & set(dict(_parts())):
        nothing = bound.with_errors({"change": _("Tick what is to change.")})
        return await _page(request, services, ctx, session, nothing, [])
    cmd, planned = form.command(session_id), []
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            planned = await plan_edit(uow, ctx, cmd)
        if form.looked:
            async with services.uow_factory(ctx.here.id) as uow:
                count = await edit_several(uow, ctx, cmd)
            said = ngettext("%(num)s session is changed.", "%(num)s sessions are changed.", count)
            flash(request, "success", said)
            return redirect(request, f"/app/{ctx.here.slug}/sessions/{session_id}")
    except InvalidInput as refused:
        bound = bound.refused(refused)
    except Conflict as refused:
        bound = bound.with_errors(None, refused.message)
    return await _page(request, services, ctx, session, bound, planned)


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    session: SessionDetail,
    form: Bound[SeveralForm],
    planned: list[Change],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        performers = await list_performer_choices(uow, session.performer_id)
        locations = await list_location_choices(uow, session.location_id)
        on_offer = await on_offer_in(uow, [change.session for change in planned])
        refusals = await list_refusals(uow, ctx, planned)
    base = f"/app/{ctx.here.slug}"
    rows = [
        _row(one, on_offer.get(one.session.id, 0), refusals.get(one.session.id, ""))
        for one in planned
    ]
    view = SeveralView(
        form=form,
        session=session,
        rows=rows,
        changed=sum(not (row.is_same or row.is_protected) for row in rows),
        refused=len(refusals),
        guests=sum(row.taken for row in rows if not (row.is_same or row.is_protected)),
        parts=_parts(),
        scopes=_scopes(session),
        performers=performers,
        locations=locations,
        base=base,
        here=f"{base}/sessions/{session.id}",
        zone=ctx.here.timezone,
    )
    status_code = 422 if form.errors or form.form_error else 200
    return page(request, "booking/sessions/several.html", view, status_code=status_code)


def _row(change: Change, on_offer: int, why_not: str) -> SeveralRow:
    session, becomes = change.session, change.becomes
    return SeveralRow(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        then_starts_at=becomes.starts_at,
        then_ends_at=becomes.ends_at,
        title=session.title,
        capacity=session.capacity,
        then_capacity=becomes.capacity,
        taken=session.seats_taken - on_offer,
        is_protected=change.is_protected,
        is_same=not change.changed,
        why_not=why_not,
    )


def _parts() -> list[tuple[str, str]]:
    return [
        ("time", _("Time of day")),
        ("duration", _("Duration")),
        ("place", _("Place")),
        ("performer", _("Performer")),
        ("capacity", _("Seats")),
        ("title", _("Title")),
    ]


def _scopes(session: SessionDetail) -> list[tuple[str, str]]:
    if session.series_id is not None:
        return [
            ("following", _("This date and those after it in the series")),
            ("all", _("All dates of the series that are still to come")),
        ]
    return [
        ("following", _("This date and those after it on the same weekday and time")),
        ("all", _("All dates still to come on the same weekday and time")),
    ]


route_handlers = [show_several, change_several]
