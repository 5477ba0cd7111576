"""/b/<slug>/me/mails/<choice>: a guest says which mails they want, without signing in.

Looking changes nothing, for mail programs follow links by themselves; their one click is a POST
without our cookies, so the signed link alone is the key.
"""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.platform.services import Services
from src.platform.web.forms import read_form
from src.platform.web.pages import AnyRequest, page
from src.tenants.commands.mail_choices import choose_mails
from src.tenants.context import RequestContext
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.queries.mail_choices import wants_mails
from src.tenants.unsubscribe_links import choice_behind

PATH = "/b/{slug:str}/me/mails/{choice:str}"
PUBLIC = {
    "public": "The signed link is the key to this one choice.",
    "csrf_exempt": True,
    "while_suspended": True,
}
PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}


class UnsubscribeView(msgspec.Struct, frozen=True, kw_only=True):
    """What the guest gets now of the link's topic. `has_chosen`: they have just said so."""

    business: str
    topic: str
    wants: bool
    has_chosen: bool


@get(PATH, opt=PUBLIC, include_in_schema=False)
async def show_choice(
    request: Request[Any, Any, Any],
    choice: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    customer_id, topic = choice_behind(services.settings, choice, ctx.here.id, services.clock.now())
    async with services.uow_factory(ctx.here.id) as uow:
        wants = await wants_mails(uow, customer_id, topic)
    return _page(request, ctx, topic, wants=wants, has_chosen=False)


@post(PATH, opt=PUBLIC, status_code=200, include_in_schema=False)
async def save_choice(
    request: Request[Any, Any, Any],
    choice: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """With `wants=on` the mails come again; anything else ends them."""
    customer_id, topic = choice_behind(services.settings, choice, ctx.here.id, services.clock.now())
    wants = (await read_form(request)).texts.get("wants", [""])[-1] == "on"
    async with services.uow_factory(ctx.here.id) as uow:
        await choose_mails(uow, customer_id, topic, wants=wants)
    return _page(request, ctx, topic, wants=wants, has_chosen=True)


def _page(
    request: AnyRequest, ctx: RequestContext, topic: MailTopic, *, wants: bool, has_chosen: bool
) -> Response[bytes]:
    view = UnsubscribeView(
        business=ctx.here.name, topic=str(topic), wants=wants, has_chosen=has_chosen
    )
    return page(request, "tenants/unsubscribe.html", view, headers=PRIVATE)


route_handlers = [show_choice, save_choice]
