"""Roles, and who acts, as people read them."""

from src.platform.i18n import _
from src.tenants.domain.roles import Role


def role_name(role: Role) -> str:
    """The role in the middle of a sentence."""
    names = {
        Role.OWNER: _("owner"),
        Role.MANAGER: _("manager"),
        Role.INSTRUCTOR: _("instructor"),
    }
    return names[role]


def actor_words(kind: str, name: str) -> str:
    """Who it was, in the reader's language."""
    if kind == "api_key":
        return _("API key “%(name)s”", name=name)
    if kind == "system":
        return _("Seatline")
    if kind == "guest":
        return _("A guest")
    return name or _("A member")
