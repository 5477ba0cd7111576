"""The places of the platform admin's desk, for every page below /admin."""

from collections.abc import Mapping
from typing import Any

import msgspec

from src.platform.i18n import _
from src.platform.web.pages import AnyRequest


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A link of the desk's navigation."""

    label: str
    href: str
    icon: str
    active: bool


def provide_admin_navigation(request: AnyRequest) -> Mapping[str, Any]:
    """A page context provider: `nav` below /admin, nothing elsewhere."""
    path = request.scope["path"]
    if path != "/admin" and not path.startswith("/admin/"):
        return {}
    places = (
        (_("Desk"), "/admin", "gauge"),
        (_("Businesses"), "/admin/tenants", "building-2"),
        (_("Requests"), "/admin/requests", "inbox"),
        (_("Plans"), "/admin/plans", "layers"),
        (_("Bolt-ons"), "/admin/bolt-ons", "plus"),
        (_("Log"), "/admin/audit", "file-text"),
    )
    return {
        "nav": [
            Place(label=label, href=href, icon=icon, active=_is_at(path, href))
            for label, href, icon in places
        ]
    }


def _is_at(path: str, href: str) -> bool:
    return path == href or (href != "/admin" and path.startswith(f"{href}/"))
