"""Roles as people read them."""

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
