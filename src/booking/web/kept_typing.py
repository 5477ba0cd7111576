"""What was typed into the booking form, kept by the browser itself while its owner signs in.

It comes back into the same form only. Boxes that agree to something are not kept: they are ticked
for what is then on the page.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request

from src.platform.errors import DomainError
from src.platform.links import LinkSigner
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.forms import FormData
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

PURPOSE = "typed"
LIFETIME = timedelta(minutes=30)
MOST_BYTES = 1_300
_KEPT = ("name", "first", "phone", "size", "coupon", "note", "signature")
_KEPT_BELOW = ("counts.", "names.", "answers.", "people.")


def keep_typing(
    request: AnyRequest, services: Services, ctx: RequestContext, subject_id: UUID, data: FormData
) -> None:
    """As much of it as a cookie takes; what is long is left out first."""
    said = {
        name: texts[-1]
        for name, texts in data.texts.items()
        if texts and texts[-1] and (name in _KEPT or name.startswith(_KEPT_BELOW))
    }
    while said and len(msgspec.json.encode(said)) > MOST_BYTES:
        del said[max(said, key=lambda name: len(said[name]))]
    payload = {"subject": str(subject_id), "said": said}
    signer = LinkSigner(services.settings.secret_keys)
    token = signer.sign(PURPOSE, payload, services.clock.now(), tenant_id=ctx.here.id)
    exchange = exchange_of(request.scope)
    cookies = exchange.kit.cookies
    seconds = int(LIFETIME.total_seconds())
    exchange.cookies_to_write.append(cookies.written(cookies.typed, token, seconds))


def kept_typing(
    request: AnyRequest, services: Services, ctx: RequestContext, subject_id: UUID
) -> Mapping[str, str]:
    """What was kept for this very form, nothing where it was another one or is too old."""
    token = exchange_of(request.scope).cookie("typed")
    if not token:
        return {}
    signer = LinkSigner(services.settings.secret_keys)
    try:
        link = signer.read(PURPOSE, token, LIFETIME, services.clock.now())
    except DomainError:
        return {}
    if link.tenant_id != ctx.here.id or link.payload.get("subject") != str(subject_id):
        return {}
    return {str(name): str(text) for name, text in link.payload["said"].items()}
