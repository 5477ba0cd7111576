"""Brings a browser for the browser tests where there is none.

    python -m tests.support.get_browser

The system's own is used where one is installed. Else Playwright's is fetched, and where that cannot
be had, Debian's chromium is installed, which takes root.
"""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

from tests.support.browser import installed_browser


def playwrights_own() -> bool:
    """Whether Playwright's Chromium has been fetched before."""
    with sync_playwright() as playwright:
        return os.path.exists(playwright.chromium.executable_path)  # noqa: PTH110 - a str from outside


def fetch() -> bool:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return subprocess.run(command, check=False).returncode == 0


def install() -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
    wanted = ["chromium", "fonts-liberation"]
    command = ["apt-get", "install", "-y", "-qq", *wanted]
    return subprocess.run(command, check=False, env=quiet).returncode == 0


def main() -> None:
    if installed_browser() or playwrights_own() or fetch() or install():
        return
    sys.exit("The browser tests need Chromium, and none could be had: install it and try again.")


if __name__ == "__main__":
    main()
