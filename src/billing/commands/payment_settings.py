"""How a business lets its guests pay."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.dialects.postgresql import insert

from src.billing.domain.methods import methods_for, unknown_methods
from src.billing.domain.transfers import TransferTerms, read_bic, read_iban, transfer_errors
from src.billing.models import PaymentSettings
from src.billing.queries.payment_settings import find_payment_settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


async def take_transfers(uow: UnitOfWork, ctx: RequestContext, terms: TransferTerms) -> None:
    """Guests may pay to this account from now on. Raises: InvalidInput at the fields."""
    errors = transfer_errors(terms)
    if errors:
        raise InvalidInput(_("Please look at the marked fields."), fields=errors)
    terms = msgspec.structs.replace(
        terms, iban=read_iban(terms.iban) or "", bic=(read_bic(terms.bic) or "").upper()
    )
    await _keep(
        uow,
        takes_transfers=True,
        holder=terms.holder,
        iban=terms.iban,
        bic=terms.bic,
        transfer_days=terms.days,
        transfer_lead_days=terms.lead_days,
        transfer_text=terms.text,
    )
    facts = {"iban": terms.iban, "days": terms.days, "lead_days": terms.lead_days}
    await audit(uow, ctx, "payments.transfers_taken", "tenant", uow.tenant, **facts)


async def stop_transfers(uow: UnitOfWork, ctx: RequestContext) -> None:
    """No order takes one any more; what is waited for still is, to the account it was told."""
    row = await find_payment_settings(uow)
    if row is None or not row.takes_transfers:
        return
    row.takes_transfers = False
    await audit(uow, ctx, "payments.transfers_stopped", "tenant", uow.tenant)


async def choose_methods(uow: UnitOfWork, ctx: RequestContext, chosen: Sequence[str]) -> None:
    """Payment pages that are made from now on may be paid by these, beside cards.

    Raises: InvalidInput at `methods` for what cannot be paid in the business's currency.
    """
    if unknown_methods(chosen, ctx.here.currency):
        sentence = _("Please choose among the given ways to pay.")
        raise InvalidInput(sentence, fields={"methods": sentence})
    methods = [method for method in methods_for(ctx.here.currency) if method in chosen]
    row = await find_payment_settings(uow)
    if methods == (row.methods if row is not None else []):
        return
    await _keep(uow, methods=methods)
    await audit(uow, ctx, "payments.methods_chosen", "tenant", uow.tenant, methods=methods)


async def _keep(uow: UnitOfWork, **values: Any) -> None:
    """Two at once make one row of it."""
    new = {
        "takes_transfers": False,
        "holder": "",
        "iban": "",
        "bic": "",
        "transfer_days": 7,
        "transfer_lead_days": 2,
        "transfer_text": "",
        "methods": [],
        **values,
    }
    statement = insert(PaymentSettings).values(tenant_id=uow.tenant, id=new_id(), **new)
    await uow.session.execute(
        statement.on_conflict_do_update(constraint="uq_payment_settings_tenant_id", set_=values)
    )
