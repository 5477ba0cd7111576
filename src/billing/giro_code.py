"""The picture from which a bank's app fills in a transfer, as EPC069-12 has it ("giro code")."""

import io
from decimal import Decimal

import segno
from markupsafe import Markup
from segno import helpers

from src.billing.domain.transfers import TransferTerms
from src.platform.money import currency_exponent

CURRENCY = "EUR"
"""The standard knows no other."""
LARGEST_MINOR = 99_999_999_999
SCALE = 4


def giro_code(terms: TransferTerms, amount_minor: int, currency: str, reference: str) -> str:
    """An SVG on white; empty for what the standard has no code for."""
    if currency != CURRENCY or not 0 < amount_minor <= LARGEST_MINOR:
        return ""
    code: segno.QRCode = helpers.make_epc_qr(
        name=terms.holder,
        iban=terms.iban,
        bic=terms.bic or None,
        amount=Decimal(amount_minor).scaleb(-currency_exponent(currency)),
        text=reference,
    )
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", scale=SCALE, light="#fff", xmldecl=False, svgns=True, nl=False)
    # Drawn by us from numbers alone, so that a page may take it as it is.
    return Markup(drawn.getvalue().decode())  # noqa: S704
