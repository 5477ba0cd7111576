"""Who may use a lot of credits, in words and as a choice."""

from collections.abc import Collection, Mapping
from uuid import UUID

from src.billing.domain.lot_users import OWNER, LotUsers, read_users
from src.billing.models import CreditLot
from src.booking.views.lot_users import UserChoice
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.models import Customer
from src.tenants.queries.own_people import list_own_people


async def find_names(uow: UnitOfWork, customer_id: UUID) -> dict[str, str]:
    """Everybody who can be named, by the value that the row keeps; the customer first."""
    customer = await uow.session.get_one(Customer, (uow.tenant, customer_id))
    people = await list_own_people(uow, customer_id)
    return {OWNER: customer.name or customer.email or _("Without a name")} | {
        str(one.id): one.name for one in people
    }


def users_in_words(users: LotUsers, names: Mapping[str, str], *, by_staff: bool = False) -> str:
    """Names with commas, or everyone where nobody is named; read by the customer or `by_staff`."""
    if users.is_everyone:
        return _("Everyone in their bookings") if by_staff else _("everyone in your bookings")
    return ", ".join(name for key, name in names.items() if key in set(users.stored()))


def choices_of(names: Mapping[str, str], chosen: Collection[str]) -> list[UserChoice]:
    return [UserChoice(key, name, key in chosen) for key, name in names.items()]


async def list_choices(uow: UnitOfWork, lot: CreditLot) -> list[UserChoice]:
    return choices_of(await find_names(uow, lot.customer_id), read_users(lot.users).stored())
