"""A new business: by somebody new, or by somebody who has one already."""

from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict, Gone, InvalidInput
from src.platform.i18n import _
from src.platform.links import LinkSigner, SignedLink
from src.platform.passwords import hash_password, verify_password, weakness_of
from src.platform.ratelimit import (
    CODE_MAILS,
    CODE_TRIES,
    NEW_BUSINESS_BY_USER,
    SIGN_UP_BY_ADDRESS,
)
from src.platform.services import Services
from src.platform.web.forms import Bound, Email, Password, bind, blank, read_form, rest_of
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.platform.web.security import client_address
from src.platform.web.sessions import session_of
from src.tenants.commands.accounts import NewUser
from src.tenants.commands.customers import normalise_email
from src.tenants.commands.sign_ups import ask_to_sign_up, find_sign_up, finish_sign_up
from src.tenants.commands.signup import NewBusiness, add_business, check_business
from src.tenants.context import RequestContext
from src.tenants.domain import link_purposes
from src.tenants.domain.places import (
    COUNTRIES,
    CURRENCIES,
    english_of,
    timezones,
    usual_currency,
    usual_timezone,
)
from src.tenants.domain.slugs import suggest_slug
from src.tenants.web.guards import requires_sign_in

F = TypeVar("F", bound=msgspec.Struct)
FOR_EVERYONE = {"public": "Anyone may begin a business."}
BY_LINK = {"public": "The signed link in the mail is the key."}
MARK = "sign_up"
"""In the session of the browser that signed up: there the link asks for no password."""
ZONES = [(name, name.replace("_", " ")) for name in timezones()]


class BusinessForm(msgspec.Struct):
    """A business of a user who is signed in.

    What is left empty is found below and not in binding, so that all of it is said at once.
    """

    business_name: Annotated[str, Meta(max_length=100)] = ""
    timezone: str = ""
    currency: str = ""
    country: str = ""
    slug: Annotated[str, Meta(max_length=60)] = ""

    def business(self) -> NewBusiness:
        """The address follows from the name where none was typed, and zone and currency from the
        country where none was chosen.
        """
        return NewBusiness(
            name=self.business_name,
            slug=self.slug or suggest_slug(self.business_name),
            timezone=self.timezone or usual_timezone(self.country),
            currency=self.currency or usual_currency(self.country),
            country=self.country,
            locale=english_of(self.country),
        )


class SignUpForm(BusinessForm, kw_only=True):
    """A business and the user who begins it."""

    name: Annotated[str, Meta(max_length=100)] = ""
    email: Email = ""
    password: Password = ""
    token: UUID | None = None
    """Makes the form sent again, corrected or not, the same sign-up."""


class FinishForm(msgspec.Struct):
    """The password that was chosen in another browser."""

    password: Password


class FinishView(msgspec.Struct):
    form: Any
    email: str


class SignUpView(msgspec.Struct):
    form: Any
    zones: list[tuple[str, str]]
    currencies: list[tuple[str, str]]
    countries: list[tuple[str, str]]
    base: str


DEFAULTS = {"country": "NL"}


@get("/sign-up", opt=FOR_EVERYONE, include_in_schema=False)
async def show_sign_up(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    session = await session_of(request)
    if session.user_id is not None:
        return redirect(request, "/app/new")
    initial = {**DEFAULTS, "token": session.get(MARK) or uuid4()}
    return _form(request, services, "tenants/sign_up.html", blank(SignUpForm, initial))


@post("/sign-up", opt=FOR_EVERYONE, status_code=200, include_in_schema=False)
async def make_account(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    """Keeps the slug and sends a mail. The answer is the same for every address, and so is what
    the slug tells from now on: nothing is made before the link is followed.
    """
    form = bind(SignUpForm, await read_form(request))
    asked = form.struct or rest_of(SignUpForm, form)
    sign_up_id = (asked and asked.token) or uuid4()
    if asked is not None:
        form = _judged(form, await _problems(services, asked, sign_up_id))
    if asked is None or not form.is_valid:
        return _form(request, services, "tenants/sign_up.html", form, 422)
    limiter = services.limiter
    await limiter.check(SIGN_UP_BY_ADDRESS, client_address(request.scope))
    await limiter.check(CODE_MAILS, normalise_email(asked.email))
    try:
        await _ask(services, asked, sign_up_id)
    except InvalidInput as refusal:
        return _form(request, services, "tenants/sign_up.html", form.refused(refusal), 422)
    (await session_of(request)).set(MARK, str(sign_up_id))
    return page(request, "tenants/signed_up.html", SignedUpView(email=asked.email))


async def _problems(services: Services, asked: SignUpForm, sign_up_id: UUID) -> dict[str, str]:
    """Every field that will not do, of person and business alike."""
    empty = _("Please fill this in.")
    wrong = {name: empty for name in ("name", "email") if not getattr(asked, name)}
    weakness = weakness_of(asked.password, (asked.email, asked.name, asked.business_name))
    if weakness is not None:
        wrong["password"] = weakness if asked.password else empty
    return wrong | await _problems_of_business(services, asked, sign_up_id)


async def _problems_of_business(
    services: Services, asked: BusinessForm, sign_up_id: UUID | None = None
) -> dict[str, str]:
    """An address that follows from a name that is missing too is no second mistake."""
    try:
        async with services.uow_factory(None) as uow:
            await check_business(uow, asked.business(), except_sign_up=sign_up_id)
    except InvalidInput as refusal:
        wrong = dict(refusal.fields)
        if not asked.business_name and not asked.slug:
            wrong.pop("slug", None)
        if "timezone" in wrong and not asked.timezone and asked.country in COUNTRIES:
            wrong["timezone"] = _("Please choose a timezone: the country has several.")
        return wrong
    return {}


def _judged(form: Bound[F], wrong: dict[str, str]) -> Bound[F]:
    """With all that is wrong; what could not even be read is said first."""
    return form.with_errors({**wrong, **form.errors}) if wrong else form


class SignedUpView(msgspec.Struct):
    email: str


async def _ask(services: Services, asked: SignUpForm, sign_up_id: UUID) -> None:
    """A form that came twice at once has been taken up by its other copy."""
    who = NewUser(
        name=asked.name, email=asked.email, password_hash=await hash_password(asked.password)
    )
    try:
        async with services.uow_factory(None) as uow:
            await ask_to_sign_up(uow, sign_up_id, who, asked.business())
    except Conflict as twice:
        if twice.code != "sent_twice":
            raise


@get("/confirm-email/business/{token:str}", opt=BY_LINK, include_in_schema=False)
async def follow_sign_up_link(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: FromPath[str]
) -> Response[bytes]:
    """In the browser that signed up the business is there at once. Any other is asked for the
    password: else whoever signs up with somebody's address would share an account with them.
    """
    link = _read_link(services, token)
    if (await session_of(request)).get(MARK) == link.payload["sign_up"]:
        return await _finish(request, services, link)
    async with services.uow_factory(None) as uow:
        asked = await find_sign_up(uow, UUID(link.payload["sign_up"]))
    if asked is None:
        return _too_late(request)
    return _ask_password(request, blank(FinishForm), asked.email)


@post("/confirm-email/business/{token:str}", opt=BY_LINK, status_code=200, include_in_schema=False)
async def prove_password(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: FromPath[str]
) -> Response[bytes]:
    link = _read_link(services, token)
    limiter = services.limiter
    await limiter.check(CODE_TRIES, str(link.payload["sign_up"]))
    form = bind(FinishForm, await read_form(request))
    email = str(link.payload["email"])
    if form.struct is None:
        return _ask_password(request, form, email)
    async with services.uow_factory(None) as uow:
        asked = await find_sign_up(uow, UUID(link.payload["sign_up"]))
    if asked is None:
        return _too_late(request)
    if not await verify_password(asked.password_hash, form.struct.password):
        wrong = _("This is not the password that was chosen when signing up.")
        return _ask_password(request, form.with_errors({"password": wrong}), email)
    return await _finish(request, services, link)


async def _finish(request: AnyRequest, services: Services, link: SignedLink) -> Response[bytes]:
    sign_up_id, email = UUID(link.payload["sign_up"]), str(link.payload["email"])
    try:
        async with services.uow_factory(None) as uow:
            done = await finish_sign_up(uow, sign_up_id, email)
    except Gone:
        return _too_late(request)
    except InvalidInput as refusal:
        flash(request, "warning", refusal.message)
        return redirect(request, "/sign-up")
    session = await session_of(request)
    if done.user_id is None:
        flash(
            request,
            "info",
            _("You already have an account. Sign in, and add another business from there."),
        )
        return redirect(request, "/sign-in?next=/app/new")
    flash(request, "success", _("Your e-mail address is confirmed."))
    if session.user_id is None:
        session.sign_in(done.user_id, services.clock.now())
    return redirect(request, f"/app/{done.slug}")


def _too_late(request: AnyRequest) -> Response[bytes]:
    """Followed again, or replaced by a newer one, or left for too long."""
    flash(request, "info", _("This link was used already, or a newer one has taken its place."))
    return redirect(request, "/sign-in")


def _ask_password(request: AnyRequest, form: Bound[FinishForm], email: str) -> Response[bytes]:
    status_code = 422 if form.errors else 200
    view = FinishView(form, email)
    return page(request, "tenants/finish_sign_up.html", view, status_code=status_code)


def _read_link(services: Services, token: str) -> SignedLink:
    """Raises: LinkInvalid, LinkExpired."""
    signer = LinkSigner(services.settings.secret_keys)
    lifetime = link_purposes.FINISH_SIGN_UP_LIFETIME
    return signer.read(link_purposes.FINISH_SIGN_UP, token, lifetime, services.clock.now())


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
    asked = form.struct or rest_of(BusinessForm, form)
    if asked is not None:
        form = _judged(form, await _problems_of_business(services, asked))
    if asked is None or not form.is_valid:
        return _form(request, services, "tenants/new_business.html", form, 422)
    business, limiter = asked.business(), services.limiter
    try:
        await limiter.check(NEW_BUSINESS_BY_USER, str(ctx.user_id))
        async with services.uow_factory(None) as uow:
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


route_handlers = [
    show_sign_up,
    make_account,
    follow_sign_up_link,
    prove_password,
    show_new_business,
    make_business,
]
