"""A session's roster as a file for spreadsheets."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.queries.roster import get_roster
from src.booking.queries.sessions import get_session_detail
from src.booking.views.roster import Roster, RosterSeat
from src.booking.web.amounts import show_amount
from src.booking.web.roster import ONE
from src.booking.web.roster_words import consent_words, payment_words, source_words
from src.booking.web.sold_words import door_words
from src.platform.csvio import CONTENT_TYPE, Cell, write_csv
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.services import Services
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member


@post(
    ONE + "/export",
    guards=[requires_member(Role.MANAGER)],
    status_code=200,
    include_in_schema=False,
)
async def export_roster(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Everybody who has or had a seat; who took the file along is in the log."""
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
        roster = await get_roster(uow, session_id)
        rows = len(roster.coming) + len(roster.gone)
        title = " · ".join(filter(None, (session.service_name, session.title)))
        await audit(uow, ctx, "roster.exported", "session", session_id, rows=rows, title=title)
    name = f"guests-{_stamp(session.starts_at, ctx)}.csv"
    return Response(
        roster_csv(roster, ctx),
        media_type=CONTENT_TYPE,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def roster_csv(roster: Roster, ctx: RequestContext) -> bytes:
    """One line a seat, one column for each question that anybody answered."""
    seats = [*roster.coming, *roster.gone]
    questions = list(dict.fromkeys(label for seat in seats for label, _answer in seat.answers))
    header = [
        _("Name"),
        _("Booked by"),
        _("E-mail"),
        _("Phone"),
        _("Party"),
        _("Seat"),
        _("Booking"),
        _("Payment"),
        _("Price"),
        _("Still to pay for the booking"),
        _("Currency"),
        _("Note"),
        _("Agreed to"),
        _("Booked on"),
        _("Kind of price"),
    ]
    return write_csv([*header, *questions], [_cells(seat, questions, ctx) for seat in seats])


def _cells(seat: RosterSeat, questions: list[str], ctx: RequestContext) -> list[Cell]:
    # The booking and its people may be asked the same words.
    answers: dict[str, str] = {}
    for label, words in seat.answers:
        answers[label] = "; ".join(filter(None, (answers.get(label), words)))
    agreed = consent_words()
    return [
        seat.name,
        seat.booked_by,
        seat.email,
        seat.phone,
        seat.party_size,
        door_words()[seat.state][0],
        seat.series_title or source_words().get(seat.source, seat.source),
        payment_words()[seat.payment][0],
        show_amount(seat.share_minor, seat.currency),
        show_amount(seat.owed_minor, seat.currency),
        seat.currency,
        seat.note,
        ", ".join(agreed.get(key, key) for key in seat.consents),
        _stamp(seat.booked_at, ctx),
        seat.tier,
        *(answers.get(question, "") for question in questions),
    ]


def _stamp(at: datetime, ctx: RequestContext) -> str:
    """The day on the business's clock, as spreadsheets sort it."""
    return to_local(at, ctx.here.zone).date().isoformat()


route_handlers = [export_roster]
