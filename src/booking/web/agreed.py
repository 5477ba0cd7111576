"""The part of a form in which guests agree and sign: what it carries, and what is wrong with it.

It carries the ids of the versions that were shown, so that nobody signs another text than the one
that was before them.
"""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from litestar import Request

from src.booking.domain.agreements import (
    LONGEST_BROWSER,
    Needed,
    SignedHow,
    Signing,
    has_changed,
    please_agree,
    sign_with_name,
)
from src.booking.web.hub import uuid_of
from src.platform.web.forms import Bound
from src.platform.web.security import client_address
from src.tenants.domain.naming import on_one_line

LONGEST_AGREED = 1000
"""Of the ids of as many versions as can be asked for at once."""


class AgreedFields(Protocol):
    """What every such form has."""

    agree: bool
    agreed: str
    signature: str


def versions_in(agreed: str) -> tuple[UUID, ...]:
    """The ids that the form has carried; what is none is left out."""
    found = (uuid_of(one) for one in agreed.split(","))
    return tuple(one for one in found if one is not None)


def signing_of(
    request: Request[Any, Any, Any], form: AgreedFields, how: SignedHow = SignedHow.BOOKING
) -> Signing:
    """What was agreed to, by whom and from where: nothing without the tick."""
    browser = request.headers.get("user-agent", "")
    return Signing(
        version_ids=versions_in(form.agreed) if form.agree else (),
        name=on_one_line(form.signature),
        address=client_address(request.scope),
        browser="".join(one for one in browser if one.isprintable())[:LONGEST_BROWSER],
        how=how,
    )


def agreement_errors(bound: Bound[Any], asked: Sequence[Needed]) -> dict[str, str]:
    """Sentences at the tick and the name; the command judges it again in its transaction."""
    if not asked:
        return {}
    errors: dict[str, str] = {}
    shown = set(versions_in(bound.value("agreed")))
    changed = [one for one in asked if one.version_id not in shown]
    if shown and changed:
        errors["agree"] = has_changed(changed)
    elif changed or not bound.checked("agree"):
        errors["agree"] = please_agree(asked)
    if not on_one_line(bound.value("signature")):
        errors["signature"] = sign_with_name()
    return errors
