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


def needs_role(role: Role) -> str:
    """Why somebody with a lesser role, or another one, may not."""
    if role is Role.OWNER:
        return _("Only somebody with the role of %(role)s can do this.", role=role_name(role))
    return _(
        "This needs the role of %(role)s, or one that may do more than that.", role=role_name(role)
    )


def actor_words(kind: str, name: str) -> str:
    """Who it was, in the reader's language."""
    if kind == "api_key":
        return _("API key “%(name)s”", name=name)
    if kind == "system":
        return _("Seatline")
    if kind == "guest":
        return _("A guest")
    return name or _("A member")
