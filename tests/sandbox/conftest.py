import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def reachable_folder() -> Iterator[Path]:
    """A folder that the user whom root's PostgreSQL runs as can enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="seatline-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder
