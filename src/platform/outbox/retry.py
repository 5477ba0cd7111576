"""Giving parked rows another chance, once a person has looked."""

from sqlalchemy import text

from src.platform.db.engine import make_engine

# A mail that was handed over twice may be in somebody's inbox twice already.
_IN_DOUBT = (
    "SELECT 1 FROM mails WHERE mails.tenant_id = outbox.tenant_id"
    " AND mails.id = cast(outbox.payload ->> 'mail_id' AS uuid)"
    " AND mails.refused IN ('in doubt', 'handed over twice')"
)
_RETRY = text(
    "UPDATE outbox SET parked_at = NULL, attempts = 0, failures = 0, available_at = now()"  # noqa: S608  only words of this file
    " WHERE parked_at IS NOT NULL AND (:in_doubt OR topic <> 'platform.mail_queued'"
    f" OR NOT EXISTS ({_IN_DOUBT}))"
)
_FORGET_DOUBT = text(
    "UPDATE mails SET refused = NULL, claimed_at = NULL WHERE sent_at IS NULL"
    " AND refused IN ('in doubt', 'handed over twice')"
    " AND EXISTS (SELECT 1 FROM outbox WHERE outbox.tenant_id = mails.tenant_id"
    " AND outbox.parked_at IS NOT NULL AND outbox.topic = 'platform.mail_queued'"
    " AND outbox.payload ->> 'mail_id' = cast(mails.id AS text))"
)


async def retry_parked(migrator_database_url: str, *, in_doubt: bool = False) -> int:
    """Makes parked rows of every tenant due now, with all their tries. Returns how many.

    Mails that may have arrived stay parked unless they are asked for: they would go out once more.
    It takes the owner of the tables, the only one whom the policies let write to all tenants.
    """
    engine = make_engine(migrator_database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            if in_doubt:
                await connection.execute(_FORGET_DOUBT)
            done = await connection.execute(_RETRY, {"in_doubt": in_doubt})
            return done.rowcount
    finally:
        await engine.dispose()
