"""Refusals that depend on who a guest is."""

from src.platform.errors import NotAllowed
from src.platform.i18n import _


class EstablishedOnly(NotAllowed):
    """It is for the business's established customers, and nobody has shown to be one."""

    code = "established_only"

    def __init__(self) -> None:
        super().__init__(established_only_sentence())


def established_only_sentence() -> str:
    return _("This is for existing customers only.")
