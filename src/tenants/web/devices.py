"""What a browser calls itself, in words that its owner knows."""

import re

from src.platform.i18n import _

# In this order: later ones are claimed by browsers that are something else.
_BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"OPR/|Opera")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/")),
    ("Firefox", re.compile(r"Firefox/|FxiOS/")),
    ("Chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    ("Safari", re.compile(r"Safari/")),
)
_SYSTEMS = (
    ("iPhone", re.compile(r"iPhone")),
    ("iPad", re.compile(r"iPad")),
    ("Android", re.compile(r"Android")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("Windows", re.compile(r"Windows")),
    ("macOS", re.compile(r"Macintosh|Mac OS X")),
    ("Linux", re.compile(r"Linux|X11")),
)


def device_name(agent: str) -> str:
    """Browser and system, as in Firefox on Android; what is neither is an unknown device."""
    browser = next((name for name, mark in _BROWSERS if mark.search(agent)), None)
    system = next((name for name, mark in _SYSTEMS if mark.search(agent)), None)
    if browser is None:
        return system or _("Unknown device")
    if system is None:
        return browser
    return _("%(browser)s on %(system)s", browser=browser, system=system)
