"""Packages that were to be paid on site and never were: they wait for a fortnight, then lapse."""

from src.billing.commands.lapse_package import lapse_package
from src.billing.cron import PARALLEL, work_off
from src.billing.domain.package_sale import PENDING_DUE
from src.platform.services import Services
from src.tenants.models import Due


async def lapse_unpaid_packages(services: Services, *, parallel: int = PARALLEL) -> int:
    """Periodic. Returns how many were looked at; what was paid meanwhile has no `due` row."""
    return await work_off(services, (PENDING_DUE,), _lapse, parallel=parallel)


async def _lapse(services: Services, due: Due) -> None:
    async with services.uow_factory(due.tenant_id) as uow:
        await lapse_package(uow, due.ref)
