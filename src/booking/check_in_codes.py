"""The code of a whole booking that is shown at the door, as text and link.

The code names its order and is signed for one business: another's code is not a wrong one, it is
none at all. It opens this one booking for members alone; it is not the guest's own link.
"""

import base64
from uuid import UUID

from itsdangerous import BadSignature, Signer

from src.billing.models import Order
from src.platform.config import Settings
from src.platform.errors import NotFound
from src.platform.i18n import _

MOST_CHARACTERS = 100


def check_in_code(settings: Settings, order: Order) -> str:
    """Fifty characters or so, the same whenever it is asked for."""
    name = base64.urlsafe_b64encode(order.id.bytes).rstrip(b"=")
    return _signer(settings, order.tenant_id).sign(name).decode()


def order_of_code(settings: Settings, tenant_id: UUID, code: str) -> UUID:
    """Raises: NotFound, for another business's code too."""
    try:
        name = _signer(settings, tenant_id).unsign(code[:MOST_CHARACTERS])
        return UUID(bytes=base64.urlsafe_b64decode(name + b"=="))
    except (BadSignature, ValueError):
        raise NotFound(_("There is no booking with this code.")) from None


def check_in_path(settings: Settings, slug: str, order: Order) -> str:
    """What the picture leads to: for members the check-in, for anyone else nothing."""
    return f"/c/{slug}/{check_in_code(settings, order)}"


def code_in(typed: str) -> str:
    """The code in what a scanner or a person put in: the code itself, or the whole link."""
    return typed.strip().split("?")[0].rstrip("/").rpartition("/")[2]


def _signer(settings: Settings, tenant_id: UUID) -> Signer:
    oldest_first = list(reversed(settings.secret_keys))
    return Signer(oldest_first, salt=f"seatline.check-in.{tenant_id.hex}")
