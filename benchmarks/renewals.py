"""1,000 parts of prices that fall due in the same minute, each charged to the card kept for it.

All guests buy as guests do, and pay the first part at the stand-in, which keeps their cards; it
answers at once, and tells of each payment by a webhook as Stripe does.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from benchmarks.data import Business
from benchmarks.runs import Bench, Line, Report
from src.billing.commands.buy_package import BuyCommand
from src.billing.commands.packages import create_package
from src.billing.cron import PARALLEL
from src.billing.domain.credits import Scope
from src.billing.domain.package_drafts import PackageDraft, PackageWay
from src.billing.domain.parts import PART_DUE
from src.billing.part_charges import work_part
from src.booking.place_package import place_package
from src.platform.ids import new_id
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.context import Actor
from src.tenants.models import Due

BUYERS, PARTS = 1_000, 4
PRICE_MINOR = 12_000
PART_MINOR = PRICE_MINOR // PARTS
BUYING_SECONDS, MAIL_SECONDS = 240.0, 240.0
GOAL_SECONDS = 60
_NOT_STANDING = """SELECT count(*) < $2 FROM instalments
WHERE tenant_id = $1 AND state = 'paid'"""
_FALL_DUE = """UPDATE instalments SET due_on = current_date, next_try_at = now(),
reminded_at = now() WHERE tenant_id = $1 AND number = 2 RETURNING id"""
_TAKEN = """SELECT count(*), count(DISTINCT order_id), sum(amount_minor) FROM payments
WHERE tenant_id = $1 AND id IN (
    SELECT payment_id FROM instalments WHERE tenant_id = $1 AND number = 2 AND state = 'paid')"""


@dataclass(frozen=True)
class Renewed:
    """Until the last part was paid, and until its guest's mail had left; CPU of one in ms by
    program, the job's own process included.
    """

    seconds: float
    mailed_seconds: float
    spent: dict[str, float]


async def measure_renewals(bench: Bench) -> list[Report]:
    """Once: a thousand are rounds enough."""
    business = await bench.filler.business("renewals")
    await bench.filler.connect_payments(business)
    began_at = time.monotonic()
    await _sell(bench, business)
    bought = time.monotonic() - began_at
    await bench.connection.execute("ANALYZE")
    renewed = await _renew(bench, business)
    await _check_money(bench, business)
    return [_report(renewed, bought)]


def _report(renewed: Renewed, bought: float) -> Report:
    what = f"{BUYERS:,} parts that fall due at once"
    by_program = ", ".join(f"{name} {each:.2f}" for name, each in renewed.spent.items())
    cost = "CPU of each part charged and told, in ms by program, the stand-in not counted"
    return Report(
        "Parts that fall due at once",
        [
            Line(
                what=f"{what}: charged to the cards kept for them, paid",
                figure=f"{renewed.seconds:.1f} s",
                goal=f"≤ {GOAL_SECONDS} s",
                met=renewed.seconds <= GOAL_SECONDS,
                ratio=f"{renewed.seconds * 1000 / BUYERS:.1f} ms a part",
            ),
            Line(what=f"{what}: until the last mail", figure=f"{renewed.mailed_seconds:.1f} s"),
        ],
        [
            f"{cost}: {by_program}.",
            f"Buying them, each with a page at the stand-in, took {bought:.0f} s.",
        ],
    )


async def _sell(bench: Bench, business: Business) -> None:
    """So many packages in parts, of which each guest has paid the first."""
    package_id = new_id()
    draft = PackageDraft(
        name="Ten sessions",
        credits=10,
        price_minor=PRICE_MINOR,
        scope=Scope(any_service=True),
        pays=(PackageWay.ONLINE,),
        parts=PARTS,
    )
    async with bench.filler.services.uow_factory(business.id) as uow:
        await create_package(uow, business.ctx, package_id, draft)
    numbers = iter(range(BUYERS))

    async def one_after_another() -> None:
        async with httpx.AsyncClient(timeout=30) as http:
            for number in numbers:
                await _buy(bench, business, package_id, number, http)

    await asyncio.gather(*(one_after_another() for _buyer in range(PARALLEL)))
    await bench.until_false(
        _NOT_STANDING, business.id, BUYERS, seconds=BUYING_SECONDS, every_seconds=0.2
    )
    await bench.drain()


async def _buy(
    bench: Bench, business: Business, package_id: UUID, number: int, http: httpx.AsyncClient
) -> None:
    services, email = bench.filler.services, f"guest{number}@{business.slug}.example"
    async with services.uow_factory(business.id) as uow:
        now = uow.clock.now()
        customer_id = await find_or_add_customer(uow, email, f"Guest {number}", "", now)
    wish = BuyCommand(
        package_id=package_id,
        guest_name=f"Guest {number}",
        guest_email=email,
        customer_id=customer_id,
        form_token=str(new_id()),
        in_parts=True,
    )
    guest = msgspec.structs.replace(business.ctx, actor=Actor(kind="guest", name="guest"))
    url = await place_package(services, guest, wish)
    address = f"http://127.0.0.1:{bench.stage.stripe_port}/_emulator/pay"
    paid = await http.post(address, json={"session": urlsplit(url).path.rsplit("/", 1)[-1]})
    paid.raise_for_status()


async def _renew(bench: Bench, business: Business) -> Renewed:
    """The day of all second parts has come. Their `due` rows stay where they are, or the worker
    would find them too, and take its share.
    """
    found = await bench.connection.fetch(_FALL_DUE, business.id)
    before, began_at, own = bench.cpu(), time.monotonic(), time.process_time()
    await _charge(bench, business, [row["id"] for row in found])
    seconds = time.monotonic() - began_at
    own = (time.process_time() - own) * 1000 / BUYERS
    await bench.until_false(
        "SELECT EXISTS (SELECT FROM outbox WHERE parked_at IS NULL"
        " AND available_at < now() + interval '1 day')",
        seconds=MAIL_SECONDS,
        every_seconds=0.1,
    )
    spent = {"program": own, **bench.cpu().since(before).per(BUYERS)}
    return Renewed(seconds, time.monotonic() - began_at, spent)


async def _charge(bench: Bench, business: Business, part_ids: Iterable[UUID]) -> None:
    """As the periodic job does, so many beside each other."""
    left, now = iter(part_ids), datetime.now(UTC)

    async def one_after_another() -> None:
        for part_id in left:
            due = Due(id=part_id, tenant_id=business.id, kind=PART_DUE, ref=part_id, at=now)
            await work_part(bench.filler.services, due)

    await asyncio.gather(*(one_after_another() for _place in range(PARALLEL)))


async def _check_money(bench: Bench, business: Business) -> None:
    """Raises: RuntimeError when a part was not paid, or twice."""
    row = await bench.connection.fetchrow(_TAKEN, business.id)
    if tuple(row) != (BUYERS, BUYERS, BUYERS * PART_MINOR):
        raise RuntimeError(f"The second parts that are paid come to {tuple(row)}.")
    paid = await bench.connection.fetchval(
        "SELECT sum(amount_minor) FROM payments WHERE tenant_id = $1", business.id
    )
    if paid != 2 * BUYERS * PART_MINOR:
        raise RuntimeError(f"{paid} was taken in all.")
