"""Giving parked rows another chance, once a person has looked."""

from sqlalchemy import text

from src.platform.db.engine import make_engine

_RETRY = text(
    "UPDATE outbox SET parked_at = NULL, attempts = 0, failures = 0, available_at = now()"
    " WHERE parked_at IS NOT NULL"
)


async def retry_parked(migrator_database_url: str) -> int:
    """Makes every parked row of every tenant due now, with all its tries. Returns how many.

    It takes the owner of the tables, the only one whom the policies let write to all tenants.
    """
    engine = make_engine(migrator_database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            done = await connection.execute(_RETRY)
            return done.rowcount
    finally:
        await engine.dispose()
