"""A new business: by somebody new, or by somebody who has one already."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.passwords import hash_password, weakness_of
from src.platform.ratelimit import SIGN_UP_BY_ADDRESS
from src.platform.services import Services
from src.platform.web.forms import Bound, Email, Password, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.platform.web.security import client_address
from src.platform.web.sessions import session_of
from src.tenants.commands.signup import NewBusiness, NewUser, add_business, check_business, sign_up
from src.tenants.context import RequestContext
from src.tenants.domain.places import COUNTRIES, CURRENCIES, english_of, timezones
from src.tenants.domain.slugs import suggest_slug
from src.tenants.web.guards import requires_sign_in

FOR_EVERYONE = {"public": "Anyone may begin a business."}
ZONES = [(name, name.replace("_", " ")) for name in timezones()]


class BusinessForm(msgspec.Struct):
    """A business of a user who is signed in."""

    business_name: Annotated[str, Meta(max_length=100)]
    timezone: str
    currency: str
    country: str
    slug: Annotated[str, Meta(max_length=60)] = ""

    def business(self) -> NewBusiness:
        """The address follows from the name where none was typed."""
        return NewBusiness(
            name=self.business_name,
            slug=self.slug or suggest_slug(self.business_name),
            timezone=self.timezone,
            currency=self.currency,
            country=self.country,
            locale=english_of(self.country),
        )


class SignUpForm(BusinessForm, kw_only=True):
    """A business and the user who begins it.

    What is left empty is found below and not in binding, so that all of it is said at once.
    """

    business_name: Annotated[str, Meta(max_length=100)] = ""
    name: Annotated[str, Meta(max_length=100)] = ""
    email: Email = ""
    password: Password = ""


class SignUpView(msgspec.Struct):
    form: Any
    zones: list[tuple[str, str]]
    currencies: list[tuple[str, str]]
    countries: list[tuple[str, str]]
    base: str


DEFAULTS = {"timezone": "Europe/Amsterdam", "currency": "EUR", "country": "NL"}


@get("/sign-up", opt=FOR_EVERYONE, include_in_schema=False)
async def show_sign_up(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    if (await session_of(request)).user_id is not None:
        return redirect(request, "/app/new")
    return _form(request, services, "tenants/sign_up.html", blank(SignUpForm, DEFAULTS))


@post("/sign-up", opt=FOR_EVERYONE, status_code=200, include_in_schema=False)
async def make_account(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    """Begins the business and signs its owner in.

    An address that is known already gets the same answer, and a mail that says so.
    """
    form = bind(SignUpForm, await read_form(request))
    if form.struct is None:
        return _form(request, services, "tenants/sign_up.html", form, 422)
    asked = form.struct
    wrong = await _problems(services, asked)
    if wrong:
        return _form(request, services, "tenants/sign_up.html", form.with_errors(wrong), 422)
    limiter = services.limiter
    await limiter.check(SIGN_UP_BY_ADDRESS, client_address(request.scope))
    try:
        await _begin(services, asked)
    except InvalidInput as refusal:
        return _form(request, services, "tenants/sign_up.html", form.refused(refusal), 422)
    return page(request, "tenants/signed_up.html", SignedUpView(email=asked.email))


async def _problems(services: Services, asked: SignUpForm) -> dict[str, str]:
    """Every field that will not do, of person and business alike."""
    empty = _("Please fill this in.")
    wrong = {name: empty for name in ("name", "email") if not getattr(asked, name)}
    weakness = weakness_of(asked.password, (asked.email, asked.name, asked.business_name))
    if weakness is not None:
        wrong["password"] = weakness if asked.password else empty
    try:
        async with services.uow_factory(None) as uow:
            await check_business(uow, asked.business())
    except InvalidInput as refusal:
        wrong |= refusal.fields
    if not asked.business_name and not asked.slug:
        wrong.pop("slug", None)
    return wrong


class SignedUpView(msgspec.Struct):
    email: str


async def _begin(services: Services, asked: SignUpForm) -> None:
    """The hash is made for a known address too, so that the answer takes as long."""
    who = NewUser(
        name=asked.name, email=asked.email, password_hash=await hash_password(asked.password)
    )
    async with services.uow_factory(None) as uow:
        await sign_up(uow, who, asked.business())


@get("/app/new", guards=[requires_sign_in], include_in_schema=False)
async def show_new_business(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    form = blank(BusinessForm, DEFAULTS)
    return _form(request, services, "tenants/new_business.html", form)


@post("/app/new", guards=[requires_sign_in], status_code=200, include_in_schema=False)
async def make_business(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Another business of somebody signed in; no second trial comes with it."""
    form = bind(BusinessForm, await read_form(request))
    if form.struct is None:
        return _form(request, services, "tenants/new_business.html", form, 422)
    business = form.struct.business()
    try:
        async with services.uow_factory(None) as uow:
            await check_business(uow, business)
            slug = await add_business(uow, ctx.user_id, business)
    except InvalidInput as refusal:
        return _form(request, services, "tenants/new_business.html", form.refused(refusal), 422)
    flash(request, "success", _("%(name)s is set up.", name=business.name))
    return redirect(request, f"/app/{slug}/start")


def _form(
    request: AnyRequest,
    services: Services,
    template: str,
    form: Bound[Any],
    status_code: int = 200,
) -> Response[bytes]:
    view = SignUpView(
        form,
        ZONES,
        [(code, code) for code in CURRENCIES],
        sorted(COUNTRIES.items(), key=lambda pair: pair[1]),
        f"{services.settings.base_url}/b/",
    )
    return page(request, template, view, status_code=status_code)


route_handlers = [show_sign_up, make_account, show_new_business, make_business]
