"""booking list what is given back by hand.

Money that a cancellation promised to hand back is an open item until it was; what is still owed
from before stood on the cancellation's page alone.

Revision: 0039, after 0038.
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO open_items (tenant_id, id, kind, subject_id, order_id, sentence, facts,"
        " created_at)"
        " SELECT r.tenant_id, gen_random_uuid(), 'hand_back', r.id, r.order_id, '',"
        " jsonb_build_object('cancelled', true, 'page', 'cancellations/' || r.cancellation_id,"
        " 'reference', o.reference, 'guest', coalesce(nullif(o.guest_name, ''), o.guest_email),"
        " 'amount_minor', r.by_hand_minor, 'currency', o.currency),"
        " coalesce(c.finished_at, c.requested_at)"
        " FROM cancellation_returns r JOIN orders o ON o.tenant_id = r.tenant_id"
        " AND o.id = r.order_id JOIN cancellations c ON c.tenant_id = r.tenant_id"
        " AND c.id = r.cancellation_id WHERE r.by_hand_minor > 0 AND r.handed_at IS NULL"
        " ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    # The code of before has them on the cancellation's page, and closes none of them.
    op.execute(
        "DELETE FROM open_items WHERE kind = 'hand_back' AND closed_at IS NULL"
        " AND facts ->> 'cancelled' = 'true'"
    )
