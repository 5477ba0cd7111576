"""What a route asks of its caller before the handler runs; none of it asks the database.

A guard answers from the context that the middleware put together. `needs_of(handler)` says what a
handler asks for, so that a test can walk all routes.
"""

from collections.abc import Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from src.platform.errors import NotAllowed, NotFound, SignInRequired
from src.platform.i18n import _
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role, reaches
from src.tenants.gates import require_feature
from src.tenants.role_words import needs_role
from src.tenants.web.middleware import context_of

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def _guard(need: str, check: Callable[[RequestContext], None]) -> Guard:
    def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        check(context_of(connection))

    guard.__name__ = f"requires {need}"
    guard.need = need  # type: ignore[attr-defined]  # read by needs_of
    return guard


def requires_member(role: Role = Role.INSTRUCTOR) -> Guard:
    """A member of the path's business whose role reaches `role`.

    Raises: SignInRequired for nobody, NotFound for anyone who is no member (a stranger learns
    nothing), NotAllowed for a member of a lesser role.
    """
    return _guard(f"member:{role.value}", lambda ctx: _check_member(ctx, role))


def requires(feature: Feature) -> Guard:
    """A tenant whose plan has the feature. Raises: PlanLimitReached."""
    return _guard(f"feature:{feature.value}", lambda ctx: require_feature(ctx, feature))


def _check_signed_in(ctx: RequestContext) -> None:
    if ctx.actor.kind != "user":
        raise SignInRequired(_("Please sign in first."))


def _check_member(ctx: RequestContext, role: Role) -> None:
    _check_signed_in(ctx)
    if ctx.tenant is None or ctx.actor.role is None:
        raise NotFound(_("There is nothing here."))
    if not reaches(ctx.actor.role, role):
        raise NotAllowed(needs_role(role))


def _check_admin(ctx: RequestContext) -> None:
    _check_signed_in(ctx)
    if not ctx.actor.is_platform_admin:
        raise NotFound(_("There is nothing here."))


def _check_api_key(ctx: RequestContext) -> None:
    if ctx.actor.kind != "api_key":
        raise SignInRequired(_("Send an API key: Authorization: Bearer sl_..."), code="no_api_key")


requires_sign_in: Guard = _guard("user", _check_signed_in)
"""Anyone who is signed in, member of something or not."""

requires_platform_admin: Guard = _guard("platform_admin", _check_admin)
"""A platform admin; for everyone else the page does not exist."""

requires_api_key: Guard = _guard("api_key", _check_api_key)
"""A program with a good key, inside the key's tenant."""


def needs_of(handler: BaseRouteHandler) -> list[str]:
    """What the handler and the layers above it ask for, e.g. ["member:owner", "feature:series"].

    The framework wraps plain functions, so the need is read from what is inside.
    """
    plain = [getattr(guard, "func", guard) for guard in handler.resolve_guards()]
    return [guard.need for guard in plain if hasattr(guard, "need")]
