"""Browsers by the names their owners know."""

import pytest

from src.tenants.web.devices import device_name

MOZILLA = "Mozilla/5.0"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{MOZILLA} (X11; Linux x86_64) {CHROME} Safari/537.36", "Chrome on Linux"),
        (f"{MOZILLA} (Windows NT 10.0) {CHROME} Safari/537.36 Edg/130.0", "Edge on Windows"),
        (f"{MOZILLA} (Linux; Android 14) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (f"{MOZILLA} (Android 14; Mobile; rv:131.0) Firefox/131.0", "Firefox on Android"),
        (f"{MOZILLA} (iPhone; like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        (f"{MOZILLA} (Macintosh; Mac OS X 14) Version/18.0 Safari/605.1", "Safari on macOS"),
        (f"{MOZILLA} (Windows NT 10.0)", "Windows"),
        ("Firefox/131.0", "Firefox"),
        ("curl/8.5.0", "Unknown device"),
        ("", "Unknown device"),
    ],
)
def test_a_browser_is_named(agent: str, name: str) -> None:
    assert device_name(agent) == name
