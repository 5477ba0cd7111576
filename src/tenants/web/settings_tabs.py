"""The row of tabs above every settings page."""

from src.platform.i18n import _
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_SET = [requires_member(Role.MANAGER)]

Tab = tuple[str, str, bool]
"""Label, address, and whether it is the one that is open."""


def settings_tabs(ctx: RequestContext, current: str) -> list[Tab]:
    """The tabs this member reaches; keys of the API are the owner's alone."""
    places = [
        (_("Profile"), ""),
        (_("Branding"), "branding"),
        (_("Booking terms"), "terms"),
        (_("Mails"), "mails"),
        (_("Performers"), "performers"),
        (_("Locations"), "locations"),
        (_("Team"), "team"),
    ]
    if ctx.here.entitlements.has(Feature.APPOINTMENTS):
        places.insert(6, (_("Closed days"), "closed-days"))
    if ctx.actor.role is Role.OWNER:
        places.append((_("API keys"), "api-keys"))
    places.append((_("Log"), "log"))
    return [(label, settings_path(ctx, place), place == current) for label, place in places]


def settings_path(ctx: RequestContext, place: str = "") -> str:
    """The address of a settings page of this business."""
    base = f"/app/{ctx.here.slug}/settings"
    return f"{base}/{place}" if place else base
