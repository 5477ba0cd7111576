"""Pages and endpoints of the tenants package."""

from typing import Any

from src.platform.services import Services
from src.platform.web.kit import WebKit
from src.tenants.web import (
    account,
    api_keys,
    audit_log,
    auth,
    branding,
    dashboard,
    join,
    locations,
    mails,
    performers,
    portal_people,
    portal_sign_in,
    settings,
    signup,
    team,
    theme,
    unsubscribe,
)
from src.tenants.web.plan_routes import install_plan_pages, plan_handlers
from src.tenants.web.portal import PortalSignInRequired, to_portal_sign_in

route_handlers: list[Any] = [
    *auth.route_handlers,
    *signup.route_handlers,
    *account.route_handlers,
    *dashboard.route_handlers,
    *theme.route_handlers,
    *settings.route_handlers,
    *branding.route_handlers,
    *mails.route_handlers,
    *performers.route_handlers,
    *locations.route_handlers,
    *team.route_handlers,
    *join.route_handlers,
    *unsubscribe.route_handlers,
    *portal_sign_in.route_handlers,
    *portal_people.route_handlers,
    *audit_log.route_handlers,
    *api_keys.route_handlers,
    *plan_handlers,
]


def install(kit: WebKit, services: Services) -> None:
    """Registers who and where for every page, and the faces of refusals by plan."""
    kit.page_context_provider(lambda request: dashboard.page_context(request, services.clock.now()))
    kit.render_error_with(PortalSignInRequired, to_portal_sign_in)
    install_plan_pages(kit)
