"""Where the processor's events arrive: checked, stored, answered; a job does the work."""

from typing import Any

import structlog
from litestar import Request, Response, post
from litestar.di import NamedDependency

from src.billing.commands.inbox import Endpoint, receive_event
from src.billing.processor import BadSignature
from src.billing.stripe_gateway import StripeGateway
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.services import Services

log = structlog.get_logger(__name__)

SIGNED = {
    "public": "Stripe itself calls here; the body's signature says that it was Stripe.",
    "csrf_exempt": True,
    "session": False,
}


@post("/hooks/stripe/platform", status_code=200, opt=SIGNED, include_in_schema=False)
async def platform_hook(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[dict[str, str]]:
    secret = services.settings.stripe_platform_webhook_secret
    return await _receive(request, services, "platform", secret)


@post("/hooks/stripe/connect", status_code=200, opt=SIGNED, include_in_schema=False)
async def connect_hook(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[dict[str, str]]:
    secret = services.settings.stripe_connect_webhook_secret
    return await _receive(request, services, "connect", secret)


async def _receive(
    request: Request[Any, Any, Any], services: Services, endpoint: Endpoint, secret: str
) -> Response[dict[str, str]]:
    """200 for everything that was signed, whatever it means to us; 400 for what was not."""
    if not secret:
        raise NotFound(_("There is nothing here."))
    signature = request.headers.get("stripe-signature", "")
    try:
        event = services.port(StripeGateway).construct_event(
            await request.body(), signature, secret
        )
    except BadSignature as bad:
        log.warning("webhook_signature_refused", endpoint=endpoint, why=str(bad))
        return Response({"error": "bad signature"}, status_code=400)
    async with services.uow_factory(None) as uow:
        outcome = await receive_event(uow, endpoint, event)
    log.info("webhook_received", event_id=event.id, type=event.type, outcome=outcome)
    return Response({"outcome": outcome})
