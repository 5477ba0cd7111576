"""Who may touch a table: written in the same revision as the table itself.

Roles: `seatline_migrator` owns, `seatline_app` is the program, `seatline_relay` hands on outbox
rows, `seatline_monitor` reads everything. See ADR 0003.
"""

import re

from alembic import op

APP, RELAY, MONITOR = "seatline_app", "seatline_relay", "seatline_monitor"
TENANT = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"


def protect(*tables: str) -> None:
    """Tenant tables: only the rows of the transaction's tenant exist for anyone but the owner."""
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO {APP} USING ({TENANT}) WITH CHECK ({TENANT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP}")
        op.execute(f"GRANT SELECT ON {table} TO {MONITOR}")
        count_soon(table)


def count_soon(table: str) -> None:
    """The planner hears of a business that grows before a tenth of everybody's rows is its own.

    Until then it takes a new one to have a row or none, and reads all of them wherever it joins.
    """
    op.execute(
        f"ALTER TABLE {table} SET"
        " (autovacuum_analyze_scale_factor = 0.01, autovacuum_analyze_threshold = 200)"
    )


def open_to_app(rights: str, *tables: str) -> None:
    """Directories: no policy; the program gets just `rights`, e.g. "SELECT, INSERT"."""
    for table in tables:
        op.execute(f"GRANT {rights} ON {table} TO {APP}")
        op.execute(f"GRANT SELECT ON {table} TO {MONITOR}")


def open_to_relay(table: str, columns: str) -> None:
    """The relay sees the rows of every tenant and may change `columns` only."""
    op.execute(f"CREATE POLICY relay ON {table} TO {RELAY} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT SELECT ON {table} TO {RELAY}")
    op.execute(f"GRANT UPDATE ({columns}) ON {table} TO {RELAY}")


def narrow(table: str, rights: str) -> None:
    """The program keeps just `rights`, of columns too: "SELECT, UPDATE (name, locale)"."""
    op.execute(f"REVOKE ALL ON {table} FROM {APP}")
    for right in re.findall(r"\w+(?: \([^)]*\))?", rights):
        op.execute(f"GRANT {right} ON {table} TO {APP}")


def widen(table: str) -> None:
    """Back to what a table had before it was narrowed."""
    narrow(table, "SELECT, INSERT, UPDATE, DELETE")
