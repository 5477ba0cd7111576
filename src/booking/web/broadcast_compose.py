"""/app/<slug>/broadcasts/new: a mail to rosters, series and tags; who gets it is shown first."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.booking.broadcast_mails import shown_mail
from src.booking.commands.broadcasts import (
    ID_IS_USED,
    SENT_AT_ONCE,
    send_broadcast,
    try_broadcast,
)
from src.booking.domain.broadcasting import (
    Audience,
    BroadcastDraft,
    Recipient,
    draft_errors,
    has_dates,
    read_audience,
)
from src.booking.domain.seen import mark_of
from src.booking.queries.broadcast_choices import Choice, list_audiences
from src.booking.queries.broadcasts import (
    count_recipients,
    first_reader,
    list_recipients,
    list_stand_ins,
    names_by_audience,
    names_of_audiences,
)
from src.booking.queries.handing_on import Holder
from src.booking.web.broadcasts import HOME, MAY_WRITE, base_of
from src.booking.web.some_names import some_names
from src.platform.errors import Conflict, InvalidInput, NotFound, TooManyRequests
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.ratelimit import Limit
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.wording import fill, placeholders_in
from src.tenants.web.mails import as_it_is_read

NEW = HOME + "/new"
SHOWN = 12
TRIALS_BY_USER = Limit("broadcast-trials", 10, 15 * 60)


class BroadcastForm(msgspec.Struct, kw_only=True):
    """A mail as it is typed; `token` becomes its id. `looked` is the mark of the mail that was
    shown with those who get it, `reached` how many they were: with `sure` the mail leaves if both
    still hold.
    """

    token: UUID
    to: list[Annotated[str, Meta(max_length=100)]] = []
    about: Annotated[str, Meta(max_length=20)] = "service"
    to_later: bool = False
    subject: Annotated[str, Meta(max_length=1_000)] = ""
    body: Annotated[str, Meta(max_length=20_000)] = ""
    looked: Annotated[str, Meta(max_length=64)] = ""
    reached: int = 0
    sure: bool = False

    def draft(self, audiences: tuple[Audience, ...]) -> BroadcastDraft:
        only_tags = bool(audiences) and not has_dates(audiences)
        return BroadcastDraft(
            audiences=audiences,
            is_marketing=self.about != "service" or only_tags,
            # The form does not ask it then, but a tick from before the tags were chosen may stand.
            to_later=self.to_later and not only_tags,
            subject=self.subject,
            body=self.body,
        )


class ComposeView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail, and before it leaves who gets it: `facts` is empty before. `others` are the groups
    of those it may be for beside `chosen`. `changed`: it was to leave, but is not what was shown.
    """

    form: Any
    base: str
    chosen: list[Choice]
    others: list[tuple[str, list[Choice]]]
    only_tags: bool
    facts: list[tuple[str, str]]
    people: list[tuple[str, str]]
    more: int
    mark: str
    reached: int
    changed: bool


@get(NEW, guards=MAY_WRITE, include_in_schema=False)
async def show_new_broadcast(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """For whom it is stands in `to`, e.g. `session:<id>`, once for each."""
    texts = request.query_params.getall("to", [])
    typed = {"token": new_id(), "to": texts, "about": "service"}
    return await _compose(request, services, ctx, blank(BroadcastForm, typed))


@post(NEW, guards=MAY_WRITE, status_code=200, include_in_schema=False)
async def send_new_broadcast(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    bound = bind(BroadcastForm, await read_form(request))
    draft = await _draft(services, ctx, bound)
    if not isinstance(draft, BroadcastDraft):
        return await _compose(request, services, ctx, draft, status_code=422)
    form = bound.struct
    if form is None or not form.sure or form.looked != _mark(draft):
        return await _compose(request, services, ctx, bound, draft=draft)
    try:
        await _send(services, ctx, form, draft)
    except InvalidInput as refused:
        return await _compose(request, services, ctx, bound.refused(refused), status_code=422)
    except Conflict as refused:
        if refused.code == ID_IS_USED:
            bound = bound.filled_with({"token": new_id()})
        bound = bound.with_errors(None, refused.message)
        return await _compose(request, services, ctx, bound, draft=draft, status_code=409)
    return redirect(request, f"{base_of(ctx)}/{form.token}")


async def _send(
    services: Services, ctx: RequestContext, form: BroadcastForm, draft: BroadcastDraft
) -> None:
    """`send_broadcast`, and the second of two presses at once finds what the first one sent."""
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await send_broadcast(uow, ctx, form.token, draft, seen=form.reached)
    except Conflict as refused:
        if refused.code != SENT_AT_ONCE:
            raise
        async with services.uow_factory(ctx.here.id) as uow:
            await send_broadcast(uow, ctx, form.token, draft, seen=form.reached)


@post(NEW + "/preview", guards=MAY_WRITE, status_code=200, include_in_schema=False, shown_at=NEW)
async def preview_broadcast(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """The mail itself, as the first of its readers would have it."""
    bound = bind(BroadcastForm, await read_form(request))
    draft = await _draft(services, ctx, bound)
    if not isinstance(draft, BroadcastDraft):
        return await _compose(request, services, ctx, draft, status_code=422)
    async with services.uow_factory(ctx.here.id) as uow:
        await names_of_audiences(uow, draft.audiences, ctx.here.zone)
        guest = await first_reader(
            uow, draft.audiences, draft.is_marketing, otherwise=ctx.actor.name
        )
    mail = shown_mail(
        services.settings, ctx.here, draft.wording, guest, is_marketing=draft.is_marketing
    )
    return as_it_is_read(mail, as_text=bound.value("as") == "text")


@post(NEW + "/trial", guards=MAY_WRITE, status_code=200, include_in_schema=False, shown_at=NEW)
async def send_trial(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """To whoever writes it, alone; what was typed stays."""
    bound = bind(BroadcastForm, await read_form(request))
    draft = await _draft(services, ctx, bound)
    if not isinstance(draft, BroadcastDraft):
        return await _compose(request, services, ctx, draft, status_code=422)
    try:
        await services.limiter.check(TRIALS_BY_USER, str(ctx.user_id))
        async with services.uow_factory(ctx.here.id) as uow:
            await try_broadcast(uow, ctx, draft)
    except TooManyRequests as refused:
        flash(request, "warning", refused.message)
    else:
        flash(request, "success", _("The trial is on its way to your own address."))
    return await _compose(request, services, ctx, bound, draft=draft)


async def _draft(
    services: Services, ctx: RequestContext, bound: Bound[BroadcastForm]
) -> BroadcastDraft | Bound[BroadcastForm]:
    """What may be sent, or the form with all that stands against it."""
    bound = await _without_gone(services, ctx, bound)
    if bound.struct is None:
        return bound
    draft = bound.struct.draft(_audiences(bound))
    if errors := draft_errors(draft):
        # Consent is asked for where the form asks what the mail is.
        shown = {{"is_marketing": "about"}.get(name, name): text for name, text in errors.items()}
        return bound.with_errors(shown)
    return draft


async def _without_gone(
    services: Services, ctx: RequestContext, bound: Bound[BroadcastForm]
) -> Bound[BroadcastForm]:
    """The form as typed; without the dates and series that are gone meanwhile, which it says."""
    audiences = _audiences(bound)
    async with services.uow_factory(ctx.here.id) as uow:
        there = await names_by_audience(uow, audiences, ctx.here.zone)
    left = [one.text for one in audiences if one in there]
    if not (gone := len(audiences) - len(left)):
        return bound
    said = ngettext(
        "%(num)s of those you chose was deleted meanwhile and is left out now.",
        "%(num)s of those you chose were deleted meanwhile and are left out now.",
        gone,
    )
    return bound.filled_with({"to": left}).with_errors(
        {**bound.errors, "to": said}, bound.form_error
    )


async def _compose(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[BroadcastForm],
    *,
    draft: BroadcastDraft | None = None,
    status_code: int = 200,
) -> Response[bytes]:
    audiences, people, reached, everybody = _audiences(form), list[Recipient](), 0, 0
    facts: list[tuple[str, str]] = []
    async with services.uow_factory(ctx.here.id) as uow:
        names = await names_of_audiences(uow, audiences, ctx.here.zone)
        choices = await list_audiences(uow, ctx.here)
        if draft is not None:
            reached, everybody = await count_recipients(
                uow, audiences, needs_consent=draft.is_marketing
            )
            people = await list_recipients(
                uow, audiences, needs_consent=draft.is_marketing, most=SHOWN
            )
            subject = _subject(draft, ctx.here.name, people)
            facts = _facts(draft, subject, names, reached, everybody)
            if not draft.is_marketing:
                facts += _stand_ins(await list_stand_ins(uow, audiences))
    chosen = [(one.text, name) for one, name in zip(audiences, names, strict=True)]
    groups = [
        (_("Dates"), choices.sessions),
        (_("Series"), choices.series),
        (_("Customers"), choices.tags),
    ]
    others = [(title, [one for one in group if one not in chosen]) for title, group in groups]
    view = ComposeView(
        form=form,
        base=base_of(ctx),
        chosen=chosen,
        others=[(title, group) for title, group in others if group],
        only_tags=bool(audiences) and not has_dates(audiences),
        facts=facts,
        people=[(one.name or one.address, _("one mail")) for one in people],
        more=max(reached - len(people), 0),
        mark=(mark := "" if draft is None else _mark(draft)),
        reached=reached,
        changed=form.checked("sure") and bool(mark) and form.value("looked") != mark,
    )
    again_with = [("to", one.text) for one in audiences]
    return page(
        request,
        "booking/broadcasts/new.html",
        view,
        status_code=status_code,
        again_with=again_with,
    )


def _mark(draft: BroadcastDraft) -> str:
    """The same for the same mail, whatever browsers do to the ends of its lines."""
    return mark_of(
        msgspec.structs.replace(
            draft,
            audiences=tuple(sorted(draft.audiences, key=lambda one: one.text)),
            subject=" ".join(draft.subject.split()),
            body="\n".join(draft.body.splitlines()).strip(),
        )
    )


def _facts(
    draft: BroadcastDraft, subject: tuple[str, str], names: list[str], reached: int, everybody: int
) -> list[tuple[str, str]]:
    facts = [
        (_("To"), ", ".join(names)),
        subject,
        (_("Mails"), ngettext("%(num)s mail", "%(num)s mails", reached)),
    ]
    if draft.is_marketing:
        left_out = ngettext("%(num)s person", "%(num)s people", everybody - reached)
        facts.append((_("Left out, for they did not agree to news"), left_out))
    if draft.to_later:
        facts.append((_("Later"), _("whoever gets a place before the last date begins")))
    return facts


def _stand_ins(holders: Sequence[Holder]) -> list[tuple[str, str]]:
    """Who comes in a guest's place, and has to be written to by hand."""
    if not holders:
        return []
    named = [f"{one.name} ({one.address})" for one in holders]
    return [(_("Not written to, for a guest gave them a place"), some_names(named, SHOWN))]


def _subject(draft: BroadcastDraft, business: str, people: list[Recipient]) -> tuple[str, str]:
    """As the first of them reads it, who is named where it is not the same for all."""
    if not people:
        return _("Subject"), draft.subject
    name = people[0].name
    filled = fill(draft.subject, {"customer_name": name, "business": business})
    if "customer_name" not in placeholders_in(draft.subject):
        return _("Subject"), filled
    return _("Subject for %(name)s", name=name), filled


def _audiences(form: Bound[BroadcastForm]) -> tuple[Audience, ...]:
    """Each once, as they were chosen. Raises: NotFound for what is no audience."""
    found = [read_audience(text) for text in dict.fromkeys(form.values("to"))]
    if None in found:
        raise NotFound(_("There is nothing here."))
    return tuple(dict.fromkeys(filter(None, found)))


route_handlers = [show_new_broadcast, send_new_broadcast, preview_broadcast, send_trial]
