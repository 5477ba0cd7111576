"""Refund policies and what they give back, to begin a test with."""

from typing import Any
from uuid import UUID

from src.billing.models import Package
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.domain.refund_policy import BuyerRule, Gives, RefundPolicy
from src.platform.db.uow import UowFactory
from tests.support.credits import a_package

DAY_BEFORE = (Tier(before=24, percent=100),)


async def a_refund_package(uow_factory: UowFactory, tenant_id: UUID, **more: Any) -> Package:
    """One credit for whatever is tagged `beginners`, valid for 60 days."""
    values: dict[str, Any] = {
        "purpose": "refund",
        "name": "Beginner classes",
        "credits": 1,
        "price_minor": 0,
        "validity_days": 60,
        "any_service": False,
        "tags": ["beginners"],
        "pays": [],
        **more,
    }
    return await a_package(uow_factory, tenant_id, **values)


def gives_package(package: Package, tiers: tuple[Tier, ...] = DAY_BEFORE) -> BuyerRule:
    return BuyerRule(gives=Gives.PACKAGE, tiers=tiers, package_id=package.id)


def leaving(**rules: BuyerRule) -> dict[str, Any]:
    """Terms without plain steps, with these rules by kind of buyer."""
    return LeavingTerms(policy=RefundPolicy(**rules)).document()
