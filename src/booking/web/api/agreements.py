"""What programs read of agreements, and how they agree for a guest."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request

from src.booking.commands.agreement_signing import NotAgreed
from src.booking.domain.agreements import Needed, SignedHow, Signing
from src.booking.views.api import agreements_out
from src.booking.views.api_hub import ServiceOnHub
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.security import client_address
from src.tenants.context import RequestContext
from src.tenants.domain.naming import on_one_line


def signing_of(request: Request[Any, Any, Any], version_ids: Sequence[UUID], name: str) -> Signing:
    """From where the program called: it is what stood between us and the guest."""
    return Signing(
        version_ids=tuple(version_ids),
        name=on_one_line(name),
        address=client_address(request.scope),
        browser=request.headers.get("user-agent", ""),
        how=SignedHow.API,
    )


def at_its_fields(refusal: NotAgreed) -> InvalidInput:
    """The same refusal, with the versions that are missing."""
    names = {"agree": "agreed_version_ids", "signature": "signed_name"}
    fields = {names[name]: sentence for name, sentence in refusal.fields.items()}
    missing = ", ".join(str(one.version_id) for one in refusal.missing)
    if missing:
        asked = _("Asked for: %(ids)s.", ids=missing)
        fields["agreed_version_ids"] = f"{fields['agreed_version_ids']} {asked}"
    return InvalidInput(refusal.message, code=refusal.code, fields=fields)


def with_agreements(
    shown: ServiceOnHub,
    services: Services,
    ctx: RequestContext,
    needed: Mapping[UUID, Sequence[Needed]],
) -> ServiceOnHub:
    """What each asks for; a series asks for what its service does too."""
    own, where = needed.get(shown.id, []), (services.settings.base_url, ctx.here.slug)
    series = [
        msgspec.structs.replace(
            one, agreements=agreements_out(*where, [*own, *needed.get(one.id, [])])
        )
        for one in shown.series
    ]
    return msgspec.structs.replace(shown, agreements=agreements_out(*where, own), series=series)
