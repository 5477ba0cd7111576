"""tenants let a person be erased.

The program may neither change the log nor read the processor's events, so what they say of somebody
is taken out by functions, which reach into the rows of the business that asks and no others.

Revision: 0034, after 0033.
"""

import sqlalchemy as sa
from alembic import op

from migrations.policies import TENANT

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

# Words stand by themselves, be they names, addresses or ids: "tim" is not in "sometimes", and
# "ann@x.test" neither in "jo-ann@x.test" nor in "ann@x.test.nl".
TELLS_OF = r"""
CREATE FUNCTION tells_of(told text, words text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT 1 FROM unnest(words) word
        WHERE word <> '' AND strpos(lower(told), lower(word)) > 0 AND lower(told) ~ (
            '(?<![\w.%+@-])' || regexp_replace(lower(word), '([^a-z0-9])', '\\\1', 'g')
            || '(?![\w@-]|\.\w)'))
$$
"""
# The texts of a document each by itself, for in all of it a line's end is written as two signs.
TEXTS_TELL_OF = r"""
CREATE FUNCTION tells_of(told jsonb, words text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT 1 FROM jsonb_path_query(told, 'strict $.** ? (@.type() == "string")') said
        WHERE tells_of(said #>> '{}', words))
$$
"""
# What stays says what was done, in numbers, ids and the business's own titles, and not to whom. A
# message's title is what somebody typed to guests, in which a name may stand; so is what was looked
# for before an export, in entries of before that was left out.
IN_AUDIT = f"""
CREATE FUNCTION erase_in_audit(subjects uuid[], words text[], names text[]) RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH gone AS (
        UPDATE audit SET detail = coalesce((
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(detail)
            WHERE jsonb_typeof(value) IN ('number', 'boolean') OR key IN ('booking', 'changed',
                'currency', 'item', 'kind', 'money', 'moved', 'refund', 'seats', 'session')
                OR key = 'title' AND action <> 'roster.messaged'),
            '{{}}'::jsonb)
        WHERE {TENANT} AND (subject_id = ANY (subjects) OR tells_of(detail, words)
            OR action IN ('roster.messaged', 'customer.exported') AND tells_of(detail, names))
        RETURNING 1)
    SELECT count(*)::integer FROM gone
$$
"""
# Those that have not been handled are told and left alone: their work needs what they say.
IN_EVENTS = f"""
CREATE FUNCTION erase_in_events(words text[]) RETURNS uuid[]
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH about AS (
        SELECT i.id, i.handled_at FROM webhook_inbox i JOIN connected_accounts a USING (account_id)
        WHERE a.{TENANT} AND tells_of(i.payload, words)),
    gone AS (
        UPDATE webhook_inbox SET payload = '{{}}'::jsonb
        WHERE id IN (SELECT id FROM about WHERE handled_at IS NOT NULL) RETURNING 1)
    SELECT coalesce(array_agg(id), '{{}}') FROM about WHERE handled_at IS NULL
$$
"""
FUNCTIONS = {
    "tells_of(text, text[])": TELLS_OF,
    "tells_of(jsonb, text[])": TEXTS_TELL_OF,
    "erase_in_audit(uuid[], text[], text[])": IN_AUDIT,
    "erase_in_events(text[])": IN_EVENTS,
}


def upgrade() -> None:
    op.add_column("customers", sa.Column("erased_at", sa.TIMESTAMP(timezone=True), nullable=True))
    for name, made in FUNCTIONS.items():
        op.execute(made)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO seatline_app")


def downgrade() -> None:
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}")
    op.drop_column("customers", "erased_at")
