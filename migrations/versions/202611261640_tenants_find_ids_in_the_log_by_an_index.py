"""tenants find ids in the log by an index.

Whoever is erased has hundreds of ids, and a log tens of thousands of entries: each id as a word
against each text took longer than a statement may. Ids are found by an index, addresses in an
entry's whole text first.

Revision: 0040, after 0039.
"""

from alembic import op

from migrations.policies import TENANT

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

IDS_IN = """
CREATE FUNCTION ids_in(told jsonb) RETURNS uuid[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT found[1]::uuid) FROM regexp_matches(lower(told::text),
        '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'g') found
$$
"""
INDEX = "CREATE INDEX ix_audit_ids_in ON audit USING gin (ids_in(detail))"
# In all of a document a word is written as in a document, with the signs of its kind doubled.
EARLY_NO = """EXISTS (
            SELECT 1 FROM lower(told::text) AS document, unnest(words) word
            WHERE word <> ''
            AND strpos(document, lower(substr(left(to_json(word)::text, -1), 2))) > 0)
        AND """
TEXTS_TELL_OF = """
CREATE OR REPLACE FUNCTION tells_of(told jsonb, words text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT {early_no}EXISTS (
        SELECT 1 FROM jsonb_path_query(told, 'strict $.** ? (@.type() == "string")') said
        WHERE tells_of(said #>> '{{}}', words))
$$
"""
ERASE = """
CREATE OR REPLACE FUNCTION erase_in_audit(subjects uuid[], words text[], names text[])
RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH {told}gone AS (
        UPDATE audit SET detail = coalesce((
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(detail)
            WHERE jsonb_typeof(value) IN ('number', 'boolean') OR key IN ('booking', 'changed',
                'currency', 'item', 'kind', 'money', 'moved', 'refund', 'seats', 'session')
                OR key = 'title' AND action <> 'roster.messaged'),
            '{{}}'::jsonb)
        WHERE {tenant} AND {which}
        RETURNING 1)
    SELECT count(*)::integer FROM gone
$$
"""
# Apart from each other, since only then each is found in its own way.
TOLD = f"""told AS (
        SELECT id FROM audit WHERE {TENANT} AND subject_id = ANY (subjects)
        UNION SELECT id FROM audit WHERE {TENANT} AND ids_in(detail) && subjects
        UNION SELECT id FROM audit WHERE {TENANT} AND tells_of(detail, words)
        UNION SELECT id FROM audit WHERE {TENANT}
            AND action IN ('roster.messaged', 'customer.exported') AND tells_of(detail, names)),
    """
OF_BEFORE = """(subject_id = ANY (subjects) OR tells_of(detail, words)
            OR action IN ('roster.messaged', 'customer.exported') AND tells_of(detail, names))"""


def upgrade() -> None:
    op.execute(IDS_IN)
    op.execute("REVOKE ALL ON FUNCTION ids_in(jsonb) FROM PUBLIC")
    # Whoever writes an entry writes into the index.
    op.execute("GRANT EXECUTE ON FUNCTION ids_in(jsonb) TO seatline_app")
    op.execute(INDEX)
    op.execute(TEXTS_TELL_OF.format(early_no=EARLY_NO))
    op.execute(ERASE.format(told=TOLD, tenant=TENANT, which="id IN (SELECT id FROM told)"))


def downgrade() -> None:
    op.execute(ERASE.format(told="", tenant=TENANT, which=OF_BEFORE))
    op.execute(TEXTS_TELL_OF.format(early_no=""))
    op.execute("DROP INDEX ix_audit_ids_in")
    op.execute("DROP FUNCTION ids_in(jsonb)")
