"""/app/<slug>/digests: which mails about the business a member wants."""

from typing import Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from src.booking.commands.digests import choose_digests, may_have
from src.booking.domain.digests import DigestKind
from src.booking.queries.digests import list_digests
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.web.guards import requires_member

MAY_ASK = [requires_member()]
PATH = "/app/{slug:str}/digests"


class DigestsForm(msgspec.Struct, kw_only=True):
    """`summary` of the business, and one's own `morning` list."""

    summary: Literal["", "daily", "weekly"] = ""
    morning: bool = False

    @property
    def kinds(self) -> list[DigestKind]:
        names = [self.summary, "morning" if self.morning else ""]
        return [DigestKind(name) for name in names if name]


class DigestsView(msgspec.Struct, frozen=True, kw_only=True):
    """`may_summarise`: the member runs the business."""

    form: Any
    base: str
    zone: str
    may_summarise: bool


@get(PATH, guards=MAY_ASK, include_in_schema=False)
async def show_digests(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        present = {one.kind for one in await list_digests(uow, ctx.user_id)}
    summary = next((kind for kind in ("daily", "weekly") if kind in present), "")
    shown = {"summary": summary, "morning": "morning" in present}
    return _page(request, ctx, blank(DigestsForm, shown))


@post(PATH, guards=MAY_ASK, status_code=200, include_in_schema=False)
async def save_digests(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    form = bind(DigestsForm, await read_form(request))
    if form.struct is None:
        return _page(request, ctx, form, 422)
    async with services.uow_factory(ctx.here.id) as uow:
        await choose_digests(uow, ctx, form.struct.kinds)
    flash(request, "success", _("Saved. They come at seven in the morning."))
    return redirect(request, f"/app/{ctx.here.slug}/digests")


def _page(
    request: AnyRequest, ctx: RequestContext, form: Bound[DigestsForm], status_code: int = 200
) -> Response[bytes]:
    role = ctx.actor.role
    view = DigestsView(
        form=form,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone.replace("_", " "),
        may_summarise=role is not None and may_have(role, DigestKind.DAILY),
    )
    return page(request, "booking/digests.html", view, status_code=status_code)


route_handlers = [show_digests, save_digests]
