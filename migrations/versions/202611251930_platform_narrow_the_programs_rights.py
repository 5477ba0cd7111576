"""platform narrow the program's rights.

Directories have no policy, so what the program may do to all businesses' rows at once is said by
column: logs are only added to, a plan's version never changes, nobody is made a platform admin by
it, and a processor's event is read by the business whose account it is about.

DELETE stays where something is documented to go: a member who is let go, what is due no longer, an
event of the processor that is old.

Revision: 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

from migrations.policies import TENANT, narrow, widen

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

RIGHTS = {
    "audit": "SELECT, INSERT",
    "connected_accounts": "SELECT, INSERT, UPDATE (account_id, charges_enabled, details_submitted,"
    " disconnected_at, updated_at, asked_until)",
    "due": "SELECT, INSERT, UPDATE (at), DELETE",
    "members": "SELECT, INSERT, UPDATE (role), DELETE",
    "plan_requests": "SELECT, INSERT, UPDATE (state, resolved_at, resolved_by)",
    "plan_versions": "SELECT, INSERT",
    "plans": "SELECT, INSERT, UPDATE (name, summary, visibility)",
    "platform_audit": "SELECT, INSERT",
    "tenant_slugs": "SELECT, INSERT",
    "tenants": "SELECT, INSERT, UPDATE (slug, name, timezone, currency, locale, country, status,"
    " brand_color, about, contact_email, contact_phone, booking_terms, plan_version_id,"
    " trial_version_id, trial_ends_at, entitlements, payments_ready)",
    "users": "SELECT, INSERT (id, email, name, password_hash, email_confirmed_at, locale,"
    " signed_out_at, created_at), UPDATE (email, name, password_hash, email_confirmed_at, locale,"
    " signed_out_at)",
    "webhook_inbox": "SELECT (id, event_id, endpoint, type, account_id, object_id, received_at,"
    " handled_at, outcome), INSERT, UPDATE (handled_at, outcome), DELETE",
}
PAYLOAD = f"""
CREATE FUNCTION webhook_payload(event uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT payload FROM webhook_inbox i JOIN connected_accounts a USING (account_id)
    WHERE i.id = event AND a.{TENANT}
$$
"""


def upgrade() -> None:
    op.alter_column("users", "is_platform_admin", server_default=sa.false())
    op.execute(PAYLOAD)
    op.execute("REVOKE ALL ON FUNCTION webhook_payload FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION webhook_payload TO seatline_app")
    for table, rights in RIGHTS.items():
        narrow(table, rights)


def downgrade() -> None:
    for table in RIGHTS:
        widen(table)
    op.execute("DROP FUNCTION webhook_payload")
    op.alter_column("users", "is_platform_admin", server_default=None)
