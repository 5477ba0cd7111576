"""Roles of members, and what each reaches."""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    INSTRUCTOR = "instructor"


class TenantStatus(StrEnum):
    """`paused`: guests see and cancel, nothing new. `suspended`: they do so by their links alone.
    `closed`: nothing at all.
    """

    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    CLOSED = "closed"

    @property
    def sells(self) -> bool:
        return self in (TenantStatus.ACTIVE, TenantStatus.PAST_DUE)

    @property
    def is_seen(self) -> bool:
        return self not in (TenantStatus.SUSPENDED, TenantStatus.CLOSED)


_RANK = {Role.INSTRUCTOR: 0, Role.MANAGER: 1, Role.OWNER: 2}


def reaches(role: Role, needed: Role) -> bool:
    """An owner may do what a manager may, and a manager what an instructor may."""
    return _RANK[role] >= _RANK[needed]


def may_make(actor: Role | None, role: Role) -> bool:
    """Whether a member may give this role to somebody, or take it from them: those who run the
    business may, and none reaches above themselves.
    """
    return actor is not None and reaches(actor, Role.MANAGER) and reaches(actor, role)
