"""What comes back to whom, as a matrix: /app/<slug>/series/<id>/refunds, services/<id>/refunds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.refund_policies import (
    find_policy_errors,
    mark_of_policy,
    set_series_policy,
    set_service_policy,
)
from src.booking.commands.series import get_series
from src.booking.commands.services import get_service
from src.booking.domain.leaving import LeavingTerms, terms_from
from src.booking.domain.refund_policy import BuyerKind, RefundPolicy
from src.booking.domain.seen import CHANGED_MEANWHILE
from src.booking.models import Series, Service
from src.booking.queries.leaving import sample_start
from src.booking.queries.refund_policy_page import (
    Curve,
    Givable,
    curves,
    list_givable,
    terms_by_kind,
)
from src.booking.web.leaving_forms import unit_choices
from src.booking.web.meanwhile import stale
from src.booking.web.refund_policy_forms import (
    STEPS,
    PolicyForm,
    bind_policy,
    gives_choices,
    initial_of,
    kind_words,
    kinds_of,
    read_policy,
)
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.services import Services
from src.platform.web.forms import Bound, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
OF_SERIES = "/app/{slug:str}/series/{series_id:uuid}/refunds"
OF_SERVICE = "/app/{slug:str}/services/{service_id:uuid}/refunds"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What the policy is of: a series, or what a service sells singly."""

    service: Service
    series: Series | None

    @property
    def terms(self) -> LeavingTerms:
        return terms_from((self.series or self.service).leaving)

    @property
    def kinds(self) -> list[BuyerKind]:
        return kinds_of(is_course=self.series is not None)

    @property
    def name(self) -> str:
        return self.service.name if self.series is None else self.series.title


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of buyer: who that is, what can come back, and what they would read. `unread` says
    why there is nothing to read: what is wrong with what was typed for them.
    """

    kind: str
    title: str
    who: str
    empty: str
    choices: list[tuple[str, str]]
    sentences: list[str]
    unread: list[str]


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """`warnings` name the packages whose credits could be spent on nothing at present. `sample_at`
    is the start that the previews are for, None where they are for no date.
    """

    form: Any
    name: str
    of_course: bool
    is_kept: bool
    has_feature: bool
    rules: list[RuleView]
    steps: range
    units: list[tuple[str, str]]
    packages: list[tuple[str, str]]
    warnings: list[str]
    sample_at: datetime | None
    zone: ZoneInfo
    back: str
    packages_href: str
    plan_href: str


@get(OF_SERIES, guards=MAY_EDIT, include_in_schema=False)
async def show_series_policy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    return await _show(request, services, ctx, None, series_id)


@post(OF_SERIES, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_series_policy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    """What is sold keeps what it was sold under. All that is wrong is said at once."""
    return await _save(request, services, ctx, None, series_id)


@get(OF_SERVICE, guards=MAY_EDIT, include_in_schema=False)
async def show_service_policy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    return await _show(request, services, ctx, service_id, None)


@post(OF_SERVICE, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_service_policy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    """What is sold keeps what it was sold under. All that is wrong is said at once."""
    return await _save(request, services, ctx, service_id, None)


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    service_id: UUID | None,
    series_id: UUID | None,
) -> Response[bytes]:
    subject = await _subject(services, ctx, service_id, series_id)
    terms = subject.terms
    initial = {**initial_of(terms, subject.kinds), "seen": mark_of_policy(terms)}
    form = blank(PolicyForm, initial)
    return await _page(request, services, ctx, subject, form, terms.policy)


async def _save(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    service_id: UUID | None,
    series_id: UUID | None,
) -> Response[bytes]:
    subject = await _subject(services, ctx, service_id, series_id)
    bound = bind_policy(await read_form(request))
    read = read_policy(bound)
    if read is None:
        return await _page(request, services, ctx, subject, bound, None, status_code=422)
    policy, seen = read.policy, bound.value("seen")
    is_preview = "preview" in bound.raw
    if read.wrong or is_preview:
        async with services.uow_factory(ctx.here.id) as uow:
            more = await find_policy_errors(uow, subject.terms, policy)
        wrong = read.at_the_form(more)
        if wrong:
            bound = bound.with_errors(wrong)
            return await _page(request, services, ctx, subject, bound, policy, status_code=422)
    if is_preview:
        return await _page(request, services, ctx, subject, bound, policy)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            if series_id is not None:
                await set_series_policy(uow, ctx, series_id, policy, seen)
            else:
                await set_service_policy(uow, ctx, subject.service.id, policy, seen)
    except InvalidInput as refused:
        fields = read.at_the_form(refused.fields)
        bound = bound.refused(InvalidInput(refused.message, fields=fields))
        return await _page(request, services, ctx, subject, bound, policy, status_code=422)
    except Conflict as refused:
        if refused.code != CHANGED_MEANWHILE:
            raise
        bound = stale(bound, PolicyForm, {"seen": mark_of_policy(subject.terms)}, refused)
        return await _page(request, services, ctx, subject, bound, policy, status_code=409)
    flash(request, "success", _("Saved. It holds for whoever books from now on."))
    return redirect(request, request.scope["path"])


async def _subject(
    services: Services, ctx: RequestContext, service_id: UUID | None, series_id: UUID | None
) -> _Subject:
    """Raises: NotFound."""
    async with services.uow_factory(ctx.here.id) as uow:
        series = None if series_id is None else await get_series(uow, series_id)
        wanted = series.service_id if series is not None else service_id
        assert wanted is not None
        return _Subject(service=await get_service(uow, wanted), series=series)


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    subject: _Subject,
    form: Bound[PolicyForm],
    policy: RefundPolicy | None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    service, series = subject.service, subject.series
    async with services.uow_factory(ctx.here.id) as uow:
        givable = await list_givable(uow)
        terms = terms_by_kind(
            subject.kinds,
            policy or RefundPolicy(),
            terms_from(service.leaving),
            None if series is None else terms_from(series.leaving),
            {one.package.package_id: one.package for one in givable},
        )
        sample_at = await sample_start(uow, service.id, terms.values())
    said = curves(ctx.here, terms, sample_at)
    base = f"/app/{ctx.here.slug}"
    view = PolicyView(
        form=form,
        name=subject.name,
        of_course=series is not None,
        is_kept=subject.terms.policy is not None,
        has_feature=ctx.here.entitlements.has(Feature.AUTO_REFUND),
        rules=[
            _rule(one, _unread(form, place), of_course=series is not None)
            for place, one in enumerate(said)
        ],
        steps=range(STEPS),
        units=unit_choices(),
        packages=[(str(one.package.package_id), _package_label(one)) for one in givable],
        warnings=_warnings(givable, policy),
        sample_at=sample_at,
        zone=ctx.here.zone,
        back=f"{base}/services/{service.id}/edit"
        if series is None
        else f"{base}/series/{series.id}",
        packages_href=f"{base}/packages",
        plan_href=f"{base}/plan",
    )
    return page(request, "booking/refund_policy.html", view, status_code=status_code)


def _unread(form: Bound[PolicyForm], place: int) -> list[str]:
    """The sentences at the fields of one kind of buyer, each once."""
    mine = [said for name, said in form.errors.items() if name.startswith(f"rules.{place}.")]
    return list(dict.fromkeys(mine))


def _rule(curve: Curve, unread: list[str], *, of_course: bool) -> RuleView:
    title, who = kind_words()[curve.kind]
    if not of_course:
        empty = _("As the service's own steps say")
    elif curve.kind is BuyerKind.COURSE:
        empty = _("As the course's own steps say")
    else:
        empty = _("As the service says")
    return RuleView(
        kind=curve.kind.value,
        title=title,
        who=who,
        empty=empty,
        choices=gives_choices(curve.kind),
        sentences=[] if unread else curve.sentences,
        unread=unread,
    )


def _package_label(one: Givable) -> str:
    dates = ngettext("fits %(num)s date on sale", "fits %(num)s dates on sale", one.dates)
    return f"{one.package.name} · {dates}"


def _warnings(givable: list[Givable], policy: RefundPolicy | None) -> list[str]:
    """Of the packages that the policy gives, those that nothing on sale can be had for."""
    chosen = set() if policy is None else policy.package_ids
    return [
        _(
            "A credit of “%(name)s” cannot be used for any date on sale: none that takes credits"
            " has one of its tags.",
            name=one.package.name,
        )
        for one in givable
        if one.package.package_id in chosen and not one.dates
    ]


route_handlers: list[Any] = [
    show_series_policy,
    save_series_policy,
    show_service_policy,
    save_service_policy,
]
