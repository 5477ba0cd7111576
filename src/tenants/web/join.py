"""/join/<token>: an invitation is looked at and accepted, with an account or by making one."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict, Gone
from src.platform.i18n import _
from src.platform.links import LinkInvalid, LinkSigner, SignedLink
from src.platform.passwords import hash_password, weakness_of
from src.platform.ratelimit import SIGN_UP_BY_ADDRESS
from src.platform.services import Services
from src.platform.web.forms import Bound, Password, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.platform.web.security import client_address
from src.platform.web.sessions import session_of
from src.tenants.commands.accounts import find_user_by_email
from src.tenants.commands.invitations import accept_invitation, find_invitation, join_as_new_user
from src.tenants.context import TenantSnapshot
from src.tenants.domain import link_purposes
from src.tenants.domain.roles import Role
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.role_words import role_name
from src.tenants.views.people import Person
from src.tenants.web.middleware import person_of

BY_LINK = {"public": "The signed link in the mail is the key."}


class JoinForm(msgspec.Struct):
    """The account of somebody who has none. Nothing is asked of those who are signed in."""

    name: Annotated[str, Meta(max_length=100)] = ""
    password: Password = ""


class JoinView(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered, and how it can be taken: "accept" by the one who is signed in, "sign_in"
    with the account that the address has, "sign_up" where it has none, or "other" for somebody
    who is signed in with another address.
    """

    business: str
    role: str
    email: str
    how: str
    signed_in_as: str
    sign_in_href: str
    form: Any


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that is still open."""

    invitation_id: UUID
    tenant: TenantSnapshot
    email: str
    role: Role
    has_account: bool

    def how(self, person: Person | None) -> str:
        if person is not None:
            return "accept" if person.email == self.email else "other"
        return "sign_in" if self.has_account else "sign_up"


@get("/join/{token:str}", opt=BY_LINK, include_in_schema=False)
async def show_invitation(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: FromPath[str]
) -> Response[bytes]:
    try:
        return _page(request, await _offer(services, token), token, blank(JoinForm))
    except Gone:
        slug = _joined(request, _link(services, token).tenant_id)
        if slug is None:
            raise
    flash(request, "info", _("You are in already."))
    return redirect(request, f"/app/{slug}")


@post("/join/{token:str}", opt=BY_LINK, status_code=200, include_in_schema=False)
async def accept(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: FromPath[str]
) -> Response[bytes]:
    """Raises: Gone when the invitation is not open; Conflict when the team is full by now."""
    offer, person = await _offer(services, token), person_of(request)
    form, how = bind(JoinForm, await read_form(request)), offer.how(person_of(request))
    if form.struct is None or how in ("other", "sign_in"):
        return _page(request, offer, token, form)
    if person is not None:
        async with services.uow_factory(offer.tenant.id) as uow:
            await accept_invitation(uow, offer.invitation_id, person.user_id)
    else:
        wrong = _problems(form.struct, offer.email)
        if wrong:
            return _page(request, offer, token, form.with_errors(wrong))
        limiter = services.limiter
        await limiter.check(SIGN_UP_BY_ADDRESS, client_address(request.scope))
        user_id = await _join(services, offer, form.struct)
        (await session_of(request)).sign_in(user_id, services.clock.now())
    flash(request, "success", _("Welcome to %(name)s.", name=offer.tenant.name))
    return redirect(request, f"/app/{offer.tenant.slug}")


async def _join(services: Services, offer: Offer, form: JoinForm) -> UUID:
    hashed = await hash_password(form.password)
    async with services.uow_factory(offer.tenant.id) as uow:
        return await join_as_new_user(
            uow, offer.invitation_id, form.name, hashed, offer.tenant.locale
        )


def _problems(form: JoinForm, email: str) -> dict[str, str]:
    empty = _("Please fill this in.")
    wrong = {} if form.name.strip() else {"name": empty}
    weakness = weakness_of(form.password, (email, form.name))
    if weakness is not None:
        wrong["password"] = weakness if form.password else empty
    return wrong


def _joined(request: AnyRequest, tenant_id: UUID | None) -> str | None:
    """The address of the business that an invitation was for, if they are in it."""
    person = person_of(request)
    businesses = person.businesses if person is not None else ()
    return next((one.slug for one in businesses if one.id == tenant_id), None)


def _link(services: Services, token: str) -> SignedLink:
    """Raises: LinkInvalid, LinkExpired."""
    signer = LinkSigner(services.settings.secret_keys)
    now, lifetime = services.clock.now(), link_purposes.INVITATION_LIFETIME
    return signer.read(link_purposes.INVITATION, token, lifetime, now)


async def _offer(services: Services, token: str) -> Offer:
    """Raises: LinkInvalid, LinkExpired; Gone when it is not open any more."""
    now = services.clock.now()
    link = _link(services, token)
    if link.tenant_id is None:
        raise LinkInvalid(_("This link is not valid. Please check that you have copied all of it."))
    async with services.uow_factory(link.tenant_id) as uow:
        invitation = await find_invitation(uow, UUID(link.payload["invitation"]))
        tenant = await tenant_snapshot(uow, link.tenant_id, now)
        known = await find_user_by_email(uow, invitation.email)
    if not tenant.status.is_seen:
        raise Conflict(_("This business is not available at present."))
    return Offer(
        invitation_id=invitation.id,
        tenant=tenant,
        email=invitation.email,
        role=Role(invitation.role),
        has_account=known is not None,
    )


def _page(request: AnyRequest, offer: Offer, token: str, form: Bound[JoinForm]) -> Response[bytes]:
    person = person_of(request)
    view = JoinView(
        business=offer.tenant.name,
        role=role_name(offer.role),
        email=offer.email,
        how=offer.how(person),
        signed_in_as=person.email if person is not None else "",
        sign_in_href=f"/sign-in?next={quote(f'/join/{token}', safe='')}",
        form=form,
    )
    status_code = 422 if form.errors else 200
    return page(request, "tenants/join.html", view, status_code=status_code)


route_handlers = [show_invitation, accept]
