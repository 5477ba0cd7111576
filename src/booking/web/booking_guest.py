"""Who books while they are signed in at the business: their name and address stand in the form.

A booking of theirs is under the address that they proved. The pages work without a session as they
do for everyone else, also while nobody can be asked who is signed in.
"""

from typing import Any, cast
from uuid import UUID

from litestar import Request

from src.booking.queries.own_places import comes_already
from src.booking.web.guest_subject import Subject
from src.platform.errors import Unavailable
from src.platform.i18n import _, set_locale
from src.platform.services import Services
from src.platform.web.forms import Bound, FormData
from src.tenants.commands.customers import normalise_email
from src.tenants.context import RequestContext
from src.tenants.queries.own_people import list_own_people
from src.tenants.views.portal import PortalGuest
from src.tenants.web.portal import found_guest, has_portal_cookie, portal_guest

AnyRequest = Request[Any, Any, Any]
_PEOPLE = "seatline.own_people"
_COMES = "seatline.comes_already"


async def look_who_books(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    *,
    is_offered: bool,
    what: Subject | None = None,
) -> PortalGuest | None:
    """The signed-in guest; from here on in the language that they chose. Nobody where a place was
    offered to somebody by a link: it is for whoever waited. `what` is to be booked.
    """
    if is_offered or not has_portal_cookie(request, ctx):
        return None
    try:
        guest = await portal_guest(request, services, ctx)
    except Unavailable:
        return None
    if guest is not None and guest.locale:
        set_locale(guest.locale)
    if guest is not None:
        async with services.uow_factory(ctx.here.id) as uow:
            people = await list_own_people(uow, guest.customer_id)
            comes = what is not None and await comes_already(
                uow, guest.customer_id, guest.name, what.kind, what.id
            )
        scope = cast("dict[str, Any]", request.scope)
        scope[_PEOPLE], scope[_COMES] = [one.name for one in people], comes
    return guest


def own_people(request: AnyRequest) -> list[str]:
    """The names of those whom the signed-in guest keeps, once `look_who_books` has looked."""
    return list(cast("dict[str, Any]", request.scope).get(_PEOPLE, []))


def has_place(request: AnyRequest) -> bool:
    """Whether the signed-in guest comes to it already, once `look_who_books` has looked."""
    return bool(cast("dict[str, Any]", request.scope).get(_COMES))


def proved_id(request: AnyRequest) -> UUID | None:
    """Whose booking it is by proof, None for who is not signed in."""
    guest = found_guest(request)
    return None if guest is None else guest.customer_id


def known_of(guest: PortalGuest | None) -> dict[str, str]:
    """What the form begins with."""
    if guest is None:
        return {}
    return {"name": guest.name, "email": guest.email, "phone": guest.phone}


def under_own_address(request: AnyRequest, data: FormData) -> str:
    """Puts the address of who is signed in into the form. The sentence for a form that was opened
    with another one: who sends it has not seen yet whose booking it becomes.
    """
    guest = found_guest(request)
    if guest is None:
        return ""
    typed = data.texts.get("email", [""])[-1]
    data.texts["email"] = [guest.email]
    if normalise_email(typed) == normalise_email(guest.email):
        return ""
    return _(
        "You are signed in as %(email)s, and the booking will be under this address. Please look"
        " again, and send it then.",
        email=guest.email,
    )


def with_sentence(bound: Bound[Any], sentence: str) -> Bound[Any]:
    return bound.with_errors(None, sentence) if sentence else bound
