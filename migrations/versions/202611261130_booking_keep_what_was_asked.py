"""booking keep what was asked.

Answers are kept with the words and the kind of their questions, also those that each of a party
gave. Answers of before are given the words of their questions as they are now; one whose question
is gone keeps its key.

Revision: 0028, after 0027.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KEEP_QUESTIONS = """
UPDATE bookings b SET answers = coalesce((
    SELECT jsonb_agg(jsonb_build_object('key', given.key, 'label',
        coalesce(asked.q->>'label', given.key), 'kind', coalesce(asked.q->>'kind', 'text'),
        'answer', given.value) ORDER BY asked.position NULLS LAST, given.key)
    FROM jsonb_each_text(b.answers) given
    LEFT JOIN jsonb_array_elements(s.questions) WITH ORDINALITY asked(q, position)
        ON asked.q->>'key' = given.key), '[]'::jsonb)
FROM services s WHERE s.tenant_id = b.tenant_id AND s.id = b.service_id
"""
KEEP_ANSWERS = """
UPDATE bookings SET answers = coalesce((
    SELECT jsonb_object_agg(given->>'key', given->'answer')
    FROM jsonb_array_elements(answers) given), '{}'::jsonb)
"""
ASK_ONCE = """
UPDATE services SET questions = (
    SELECT jsonb_agg(q || '{"per_person": false}'::jsonb ORDER BY position)
    FROM jsonb_array_elements(questions) WITH ORDINALITY asked(q, position))
WHERE questions <> '[]'::jsonb
"""
ASK_AS_BEFORE = """
UPDATE services SET questions = (
    SELECT jsonb_agg(q - 'per_person' ORDER BY position)
    FROM jsonb_array_elements(questions) WITH ORDINALITY asked(q, position))
WHERE questions <> '[]'::jsonb
"""


def upgrade() -> None:
    op.add_column(
        "bookings",
        sa.Column(
            "person_answers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
    )
    op.execute(KEEP_QUESTIONS)
    op.execute(ASK_ONCE)


def downgrade() -> None:
    op.execute(ASK_AS_BEFORE)
    op.execute(KEEP_ANSWERS)
    op.drop_column("bookings", "person_answers")
