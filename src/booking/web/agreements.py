"""/app/<slug>/agreements: the texts that guests sign, written, published and switched off."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.agreements import (
    change_agreement,
    create_agreement,
    find_newest_version,
    get_agreement,
    mark_of_draft,
    publish_agreement,
    set_agreement_active,
)
from src.booking.domain.agreements import (
    LONGEST_SLUG,
    LONGEST_TEXT,
    LONGEST_TITLE,
    AgreementDraft,
    sha256_of,
)
from src.booking.domain.seen import CHANGED_MEANWHILE
from src.booking.models import Agreement
from src.booking.queries.agreement_pages import (
    get_agreement_row,
    list_agreements,
    list_asked_by,
    list_signatures,
    list_versions,
)
from src.booking.queries.agreements_waiting import count_concerned, count_lacking, list_lacking
from src.booking.views.agreements import (
    AgreementFormView,
    AgreementsView,
    AgreementView,
    PublishView,
)
from src.booking.web.meanwhile import stale
from src.booking.web.portal import page_of
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
HOME = "/app/{slug:str}/agreements"
ONE = HOME + "/{agreement_id:uuid}"
A_PAGE = 50
FIRST_LACKING = 20


class AgreementForm(msgspec.Struct, kw_only=True):
    """An agreement as it is typed. `token` becomes the id of a new one, and `seen` is the mark of
    what the editor was shown.
    """

    token: UUID | None = None
    seen: Annotated[str, Meta(max_length=40)] = ""
    title: Annotated[str, Meta(max_length=LONGEST_TITLE)]
    slug: Annotated[str, Meta(max_length=LONGEST_SLUG)] = ""
    # A line's end is two characters on its way here.
    text: Annotated[str, Meta(max_length=2 * LONGEST_TEXT, extra={"strip": False})]

    def draft(self) -> AgreementDraft:
        return AgreementDraft(title=self.title, slug=self.slug.strip().lower(), text=self.text)


@get(HOME, guards=MAY_EDIT, include_in_schema=False)
async def show_agreements(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_agreements(uow)
    view = AgreementsView(rows=rows, base=base_of(ctx), zone=ctx.here.zone)
    return page(request, "booking/agreements/list.html", view)


@get(HOME + "/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_agreement(
    request: AnyRequest, ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return _editor(request, ctx, blank(AgreementForm, {"token": new_id()}), None)


@post(HOME + "/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_agreement(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """Leads on to its first publishing; until then nobody sees it."""
    bound = bind(AgreementForm, await read_form(request))
    form = bound.struct
    if form is None:
        return _editor(request, ctx, bound, None, status_code=422)
    agreement_id = form.token or new_id()
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await create_agreement(uow, agreement_id, form.draft())
    except InvalidInput as refused:
        return _editor(request, ctx, bound.refused(refused), None, status_code=422)
    flash(request, "success", _("The draft is saved. Guests see it once it is published."))
    return redirect(request, f"{base_of(ctx)}/agreements/{agreement_id}/publish")


@get(ONE, guards=MAY_EDIT, include_in_schema=False)
async def show_agreement(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    """Its text, what asks for it, who has signed it, found by `?q=`, and who has not."""
    search = request.query_params.get("q", "").strip()[:100]
    number = page_of(request.query_params.get("page", "1"))
    base, start = base_of(ctx), (number - 1) * A_PAGE
    here = f"{base}/agreements/{agreement_id}"
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_agreement_row(uow, agreement_id)
        agreement = await get_agreement(uow, agreement_id)
        newest = await find_newest_version(uow, agreement_id)
        versions = await list_versions(uow, agreement_id)
        found = await list_signatures(
            uow, agreement_id, search=search, limit=A_PAGE + 1, offset=start
        )
        is_asked = newest is not None and row.active
        view = AgreementView(
            row=row,
            text=agreement.draft if newest is None else newest.text,
            sha256="" if newest is None else newest.sha256,
            versions=versions,
            asked_by=await list_asked_by(uow, agreement_id, base),
            signatures=found[:A_PAGE],
            signed_total=sum(one.signed for one in versions),
            search=search,
            lacking=await list_lacking(uow, agreement_id, limit=FIRST_LACKING) if is_asked else [],
            lacking_total=await count_lacking(uow, agreement_id) if is_asked else 0,
            base=base,
            here=here,
            public=f"/b/{ctx.here.slug}/agreements/{row.slug}",
            zone=ctx.here.zone,
            previous_href=_signatures_href(here, search, number - 1) if number > 1 else None,
            next_href=_signatures_href(here, search, number + 1) if len(found) > A_PAGE else None,
        )
    return page(request, "booking/agreements/show.html", view)


def _signatures_href(here: str, search: str, number: int) -> str:
    return f"{here}?{urlencode({'q': search, 'page': number})}#signatures"


@get(ONE + "/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_agreement_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_agreement(uow, agreement_id)
    return _editor(request, ctx, blank(AgreementForm, _initial(row)), row)


@post(ONE + "/edit", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_agreement_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    """Saves the draft, and leads on to what publishing it means."""
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_agreement(uow, agreement_id)
    bound = bind(AgreementForm, await read_form(request))
    form = bound.struct
    if form is None:
        return _editor(request, ctx, bound, row, status_code=422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_agreement(uow, agreement_id, form.draft(), form.seen)
    except InvalidInput as refused:
        return _editor(request, ctx, bound.refused(refused), row, status_code=422)
    except Conflict as refused:
        if refused.code != CHANGED_MEANWHILE:
            raise
        bound = stale(bound, AgreementForm, {"seen": mark_of_draft(row)}, refused)
        return _editor(request, ctx, bound, row, status_code=409)
    flash(request, "success", _("The draft is saved."))
    return redirect(request, f"{base_of(ctx)}/agreements/{agreement_id}/publish")


@get(ONE + "/publish", guards=MAY_EDIT, include_in_schema=False)
async def ask_publishing(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    """The text as guests will read it, and what follows, before it is done."""
    return await _publishing(request, services, ctx, agreement_id)


@post(ONE + "/publish", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def publish(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    shown = (await read_form(request)).texts.get("shown", [""])[-1]
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            number = await publish_agreement(uow, ctx, agreement_id, shown)
    except Conflict as refused:
        return await _publishing(request, services, ctx, agreement_id, refused.message)
    flash(request, "success", _("Version %(number)s is published.", number=number))
    return redirect(request, f"{base_of(ctx)}/agreements/{agreement_id}")


@post(ONE + "/active", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def switch_agreement(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    """On with `on=1`, off with anything else."""
    active = (await read_form(request)).texts.get("on", [""])[-1] == "1"
    async with services.uow_factory(ctx.here.id) as uow:
        title = await set_agreement_active(uow, ctx, agreement_id, active=active)
    said = (
        _("Guests are asked for “%(title)s” again.", title=title)
        if active
        else _("Nobody is asked for “%(title)s” any more. What was signed stays.", title=title)
    )
    flash(request, "success", said)
    return redirect(request, f"{base_of(ctx)}/agreements/{agreement_id}")


def base_of(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}"


def _initial(row: Agreement) -> dict[str, Any]:
    seen = mark_of_draft(row)
    return {"title": row.title, "slug": row.slug, "text": row.draft, "seen": seen}


def _editor(
    request: AnyRequest,
    ctx: RequestContext,
    form: Bound[AgreementForm],
    row: Agreement | None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    view = AgreementFormView(
        form=form,
        agreement_id=None if row is None else row.id,
        title="" if row is None else row.title,
        base=base_of(ctx),
        public=f"/b/{ctx.here.slug}/agreements/",
    )
    return page(request, "booking/agreements/form.html", view, status_code=status_code)


async def _publishing(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    agreement_id: UUID,
    error: str = "",
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_agreement_row(uow, agreement_id)
        agreement = await get_agreement(uow, agreement_id)
        view = PublishView(
            title=row.title,
            text=agreement.draft,
            shown=sha256_of(agreement.draft),
            number=row.number + 1,
            signed=row.signed,
            concerned=await count_concerned(uow, agreement_id),
            asks=row.asked_by,
            is_same=not row.is_changed,
            active=row.active,
            error=error,
            here=f"{base_of(ctx)}/agreements/{agreement_id}",
            base=base_of(ctx),
        )
    status = 409 if error else 200
    return page(request, "booking/agreements/publish.html", view, status_code=status)


route_handlers: list[Any] = [
    show_agreements,
    show_new_agreement,
    save_new_agreement,
    show_agreement,
    show_agreement_form,
    save_agreement_form,
    ask_publishing,
    publish,
    switch_agreement,
]
