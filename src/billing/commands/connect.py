"""Getting paid: the business's own account at the processor, and whether it may charge."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from src.billing.commands.due import account_due_id, add_due, drop_due
from src.billing.domain.retries import ACCOUNT_DUE, next_account_check
from src.billing.models import ConnectedAccount
from src.billing.processor import ACCOUNT_OUT_OF_REACH, Account, DefinitiveFailure
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UnitOfWork
from src.platform.services import Services
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.models import Tenant


async def connect_account(
    services: Services, ctx: RequestContext, *, refresh_url: str, return_url: str
) -> str:
    """The address of the processor's onboarding page for the caller's business.

    The account is made at the first call and used again ever after; a business that disconnected
    gets a new one, since we may not touch the old one any more.
    Raises: DefinitiveFailure, Uncertain.
    """
    tenant, gateway = ctx.here, services.port(StripeGateway)
    async with services.uow_factory(tenant.id) as uow:
        known = await find_account(uow)
    if known is None or known.disconnected_at is not None:
        body = _account_body(tenant)
        made = await gateway.create_account(body, _account_key(tenant, known, body))
        async with services.uow_factory(tenant.id) as uow:
            await _store_account(uow, made)
            await audit(uow, ctx, "payments.connected", "connected_account", None, account=made.id)
        account_id = made.id
    else:
        account_id = known.account_id
    return await gateway.account_link(account_id, refresh_url=refresh_url, return_url=return_url)


async def refresh_account(services: Services, tenant_id: UUID) -> Account | None:
    """Asks how the business's account stands now and writes it down; None when there is none.

    Raises: DefinitiveFailure, Uncertain.
    """
    async with services.uow_factory(tenant_id) as uow:
        known = await find_account(uow)
    if known is None or known.disconnected_at is not None:
        return None
    account = await services.port(StripeGateway).retrieve_account(known.account_id)
    async with services.uow_factory(tenant_id) as uow:
        await take_account_news(uow, account)
    return account


async def recheck_account(services: Services, tenant_id: UUID) -> bool:
    """Finds out whether the business may still charge, after a sign that it may not.

    Returns whether it may, as far as we know. Raises: Uncertain.
    """
    try:
        account = await refresh_account(services, tenant_id)
    except DefinitiveFailure as failure:
        if failure.code == ACCOUNT_OUT_OF_REACH:
            async with services.uow_factory(tenant_id) as uow:
                await _forget_account(uow)
            return False
        return True
    return account is not None and account.charges_enabled


async def _forget_account(uow: UnitOfWork) -> None:
    known = await find_account(uow)
    if known is not None:
        await disconnect_account(uow, known.account_id)


async def find_account(uow: UnitOfWork) -> ConnectedAccount | None:
    """The business's account, connected or not any more."""
    found: ConnectedAccount | None = await uow.session.scalar(
        select(ConnectedAccount).where(ConnectedAccount.tenant_id == uow.tenant)
    )
    return found


async def take_account_news(uow: UnitOfWork, account: Account) -> None:
    """The business sells for money if, and only if, its account may charge now."""
    found = await uow.session.execute(
        update(ConnectedAccount)
        .where(
            ConnectedAccount.tenant_id == uow.tenant,
            ConnectedAccount.account_id == account.id,
            ConnectedAccount.disconnected_at.is_(None),
        )
        .values(
            charges_enabled=account.charges_enabled,
            details_submitted=account.details_submitted,
            updated_at=uow.clock.now(),
        )
        .returning(ConnectedAccount.account_id)
    )
    if found.first() is not None:
        await _set_payments_ready(uow, account.charges_enabled)


async def note_asked(uow: UnitOfWork, account_id: str, until: datetime) -> None:
    """The account's events up to then have been asked for."""
    await uow.session.execute(
        update(ConnectedAccount)
        .where(ConnectedAccount.tenant_id == uow.tenant, ConnectedAccount.account_id == account_id)
        .values(asked_until=until)
    )


async def disconnect_account(uow: UnitOfWork, account_id: str) -> None:
    """The business took our access away: nothing can be sold for money, nothing be refunded."""
    found = await uow.session.execute(
        update(ConnectedAccount)
        .where(ConnectedAccount.tenant_id == uow.tenant, ConnectedAccount.account_id == account_id)
        .values(charges_enabled=False, disconnected_at=uow.clock.now(), updated_at=uow.clock.now())
        .returning(ConnectedAccount.account_id)
    )
    if found.first() is not None:
        await _set_payments_ready(uow, False)


async def _set_payments_ready(uow: UnitOfWork, ready: bool) -> None:
    await uow.session.execute(
        update(Tenant)
        .where(Tenant.id == uow.tenant, Tenant.payments_ready.is_not(ready))
        .values(payments_ready=ready)
    )


async def _store_account(uow: UnitOfWork, account: Account) -> None:
    now = uow.clock.now()
    fresh = {
        "account_id": account.id,
        "charges_enabled": account.charges_enabled,
        "details_submitted": account.details_submitted,
        "disconnected_at": None,
        "updated_at": now,
    }
    statement = insert(ConnectedAccount).values(**fresh, tenant_id=uow.tenant, created_at=now)
    await uow.session.execute(
        statement.on_conflict_do_update(index_elements=[ConnectedAccount.tenant_id], set_=fresh)
    )
    await drop_due(uow, account_due_id(uow.tenant))
    at = next_account_check(now, now, is_ready=account.charges_enabled)
    await add_due(uow, ACCOUNT_DUE, account_due_id(uow.tenant), at)


def _account_body(tenant: TenantSnapshot) -> dict[str, Any]:
    """A full account of the business's own: it pays the processor's fees and bears its losses."""
    body: dict[str, Any] = {
        "country": tenant.country,
        "default_currency": tenant.currency.lower(),
        "business_profile": {"name": tenant.name},
        "controller": {
            "fees": {"payer": "account"},
            "losses": {"payments": "stripe"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": "full"},
        },
        "capabilities": {
            "card_payments": {"requested": True},
            "transfers": {"requested": True},
        },
        "metadata": {"tenant_id": str(tenant.id)},
    }
    if tenant.contact_email:
        body["email"] = tenant.contact_email
    return body


def _account_key(
    tenant: TenantSnapshot, known: ConnectedAccount | None, body: dict[str, Any]
) -> str:
    """The same wish has the same key, so that pressing the button twice makes one account."""
    before = known.account_id if known is not None else "none"
    digest = hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:16]
    return f"account-{tenant.id}-{before}-{digest}"
