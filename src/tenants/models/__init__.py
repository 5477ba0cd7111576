"""Rows of the tenants package."""

from src.tenants.models.directories import (
    Due,
    Member,
    Plan,
    PlanRequest,
    PlanVersion,
    PlatformAudit,
    Tenant,
    TenantSlug,
    User,
)
from src.tenants.models.people import (
    ApiKey,
    AuditEntry,
    BookingCounter,
    Customer,
    CustomerNote,
    CustomerTag,
    EntitlementGrant,
    Location,
    Participant,
    Performer,
    PerformerBusy,
)

__all__ = [
    "ApiKey",
    "AuditEntry",
    "BookingCounter",
    "Customer",
    "CustomerNote",
    "CustomerTag",
    "Due",
    "EntitlementGrant",
    "Location",
    "Member",
    "Participant",
    "Performer",
    "PerformerBusy",
    "Plan",
    "PlanRequest",
    "PlanVersion",
    "PlatformAudit",
    "Tenant",
    "TenantSlug",
    "User",
]
