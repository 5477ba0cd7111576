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
    MailChoice,
    MailWording,
    Participant,
    Performer,
    PerformerBusy,
)
from src.tenants.models.portal import PortalCode
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
    "MailChoice",
    "MailWording",
    "Member",
    "Participant",
    "Performer",
    "PerformerBusy",
    "Plan",
    "PlanRequest",
    "PlanVersion",
    "PlatformAudit",
    "PortalCode",
    "SignUp",
    "Tenant",
    "TenantSlug",
    "User",
]
