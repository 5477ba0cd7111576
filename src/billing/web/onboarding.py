"""What is left to do about money before guests can pay online."""

from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.domain.roles import Role
from src.tenants.web.dashboard import Step, register_onboarding_step


def register_steps() -> None:
    """Adds the step to every business's list; who takes money on site only may leave it."""
    register_onboarding_step(
        Step(
            key="payments",
            title=lambda: _("Get paid by card"),
            sentence=lambda: _(
                "Connect Stripe and guests pay when they book. Not needed for what is free or paid"
                " on site."
            ),
            path="/payments",
            probe=_is_connected,
            is_optional=True,
            role=Role.OWNER,
        )
    )


async def _is_connected(uow: UnitOfWork, tenant: TenantSnapshot) -> bool:
    return tenant.payments_ready
