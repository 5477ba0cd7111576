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
    Invitation,
    Location,
    Participant,
    Performer,
    PerformerBusy,
)
from src.tenants.models.sign_ups import SignUp

__all__ = [
    "ApiKey",
    "AuditEntry",
    "BookingCounter",
    "Customer",
    "CustomerNote",
    "CustomerTag",
    "Due",
    "EntitlementGrant",
    "Invitation",
    "Location",
    "Member",
    "Participant",
    "Performer",
    "PerformerBusy",
    "Plan",
    "PlanRequest",
    "PlanVersion",
    "PlatformAudit",
    "SignUp",
    "Tenant",
    "TenantSlug",
    "User",
]
