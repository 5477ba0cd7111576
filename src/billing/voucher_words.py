"""Vouchers as people read of them."""

from datetime import datetime

from src.billing.domain.vouchers import EntryKind, VoucherSource, VoucherState, is_over
from src.billing.models import Voucher
from src.billing.views.badges import Badge
from src.platform.i18n import _


def voucher_state(voucher: Voucher, now: datetime) -> Badge:
    if voucher.state == VoucherState.BLOCKED:
        return Badge(_("Blocked"), "error")
    if voucher.state == VoucherState.PENDING:
        return Badge(_("Waiting for payment"), "warning")
    if is_over(voucher.expires_at, now):
        return Badge(_("Expired"), "muted")
    if voucher.balance_minor == 0:
        return Badge(_("Used up"), "muted")
    return Badge(_("Active"), "success")


def voucher_source(source: str) -> str:
    words = {
        VoucherSource.SOLD: _("Bought online"),
        VoucherSource.REFUND: _("In place of a refund"),
        VoucherSource.STAFF: _("Sold by hand"),
    }
    return words[VoucherSource(source)]


def entry_words(kind: str) -> str:
    words = {
        EntryKind.GRANT: _("Issued"),
        EntryKind.SPEND: _("Spent"),
        EntryKind.GIVE_BACK: _("Came back"),
        EntryKind.ADJUST: _("Changed by the business"),
        EntryKind.EXPIRE: _("Written off"),
        EntryKind.REFUND: _("Refunded to the buyer"),
    }
    return words[EntryKind(kind)]
