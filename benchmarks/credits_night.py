"""The night in which a tenth of all credits end: each lot is written off, and its owner is told."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.credits_shop import KINDS_OF_LOTS, Shop
from benchmarks.runs import Bench, Line, Report
from src.billing.commands.credit_ends import CREDITS_DUE, credits_due_id
from src.billing.jobs.credit_ends import look_at_credits
from src.tenants.models import Due

MAIL_SECONDS = 300.0
_OPEN = """SELECT count(*) FROM credit_lots WHERE tenant_id = $1 AND state = 'active'
AND balance > 0 AND expires_at < now()"""
_MAILS_LEFT = """SELECT EXISTS (SELECT FROM outbox WHERE parked_at IS NULL
AND available_at < now() + interval '1 day')"""


@dataclass(frozen=True)
class Night:
    """How long it took, until all was written off and until the last mail; CPU of both for a lot,
    the job's own process included.
    """

    lots: int
    seconds: float
    mailed_seconds: float
    cpu_ms: float

    @property
    def each_ms(self) -> float:
        return self.seconds / self.lots * 1000


async def measure_night(bench: Bench, shops: dict[int, Shop], goal: float) -> Report:
    """Time and CPU for a lot that ends, in the small business and in the large one."""
    nights = {count: await _pass(bench, shop) for count, shop in shops.items()}
    few, many = nights
    growth = nights[many].each_ms / nights[few].each_ms
    report = Report("The night in which credits end")
    for count, night in nights.items():
        report.lines.append(
            Line(
                what=f"{night.lots:,} of {count:,} lots written off, their owners' mails queued",
                figure=f"{night.seconds:.1f} s",
                ratio=f"{night.each_ms:.2f} ms a lot",
            )
        )
        report.details.append(
            f"{night.lots:,} of {count:,} lots: written off in {night.seconds:.2f} s, the last mail"
            f" after {night.mailed_seconds:.1f} s; CPU of a lot with its mail"
            f" {night.cpu_ms:.2f} ms."
        )
    report.lines.append(
        Line(
            what=f"Time of a lot that ends with {many:,} over that with {few:,}",
            figure=f"{growth:.2f}",
            goal=f"≤ {goal}",
            met=growth <= goal,
        )
    )
    return report


async def _pass(bench: Bench, shop: Shop) -> Night:
    """Raises: RuntimeError when the job would not have all of them to do."""
    lots = len(shop.owned) // KINDS_OF_LOTS
    await bench.drain()
    if (found := await bench.connection.fetchval(_OPEN, shop.business.id)) != lots:
        raise RuntimeError(f"{found} lots are to be written off instead of {lots}")
    # Not in the database, or the worker would find it too, and take its share.
    due = Due(
        id=credits_due_id(shop.business.id),
        tenant_id=shop.business.id,
        kind=CREDITS_DUE,
        ref=shop.business.id,
        at=datetime.now(UTC),
    )
    before, began_at, own = bench.cpu(), time.monotonic(), time.process_time()
    # A look takes so many chunks at most, and leaves the rest to the next one.
    while await bench.connection.fetchval(_OPEN, shop.business.id):
        await look_at_credits(bench.filler.services, due)
    seconds = time.monotonic() - began_at
    own = time.process_time() - own
    await bench.until_false(_MAILS_LEFT, seconds=MAIL_SECONDS, every_seconds=0.1)
    mailed_seconds = time.monotonic() - began_at
    cpu = own + bench.cpu().since(before).total
    return Night(lots, seconds, mailed_seconds, cpu * 1000 / lots)
