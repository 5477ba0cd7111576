"""Addresses as QR codes, black on white on dark pages too."""

import io

import segno

SCALE, QUIET_ZONE = 6, 4
"""Pixels a module, and modules of white around it; four are what readers may count on."""
PRINTED_SCALE = 24


def qr_svg(address: str) -> bytes:
    """A drawing that stays sharp at any size."""
    return _drawn(address, "svg", SCALE)


def qr_png(address: str, scale: int = SCALE) -> bytes:
    """For whatever shows no drawings, such as mails; with `PRINTED_SCALE` fit for a poster."""
    return _drawn(address, "png", scale)


def _drawn(address: str, kind: str, scale: int) -> bytes:
    buffer = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(buffer, kind=kind, scale=scale, border=QUIET_ZONE, light="#fff", dark="#000")
    return buffer.getvalue()
