"""The platform's own scope, for what belongs to no business.

Some mails have no tenant: a password is forgotten by a user who is in no business, a sign-up hits
an address that is known already. Mails and outbox rows are tenant tables, so these are written
under this id, which no row of `tenants` has. The relay and the workers treat it like any other.
"""

from uuid import UUID

PLATFORM_TENANT_ID = UUID(int=0)
