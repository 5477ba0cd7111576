"""The shape of the code that no linter sees."""

import platform
import sys
from pathlib import Path

from tests.architecture.sizes import ROOT, problems


def test_platform_is_still_the_standard_librarys() -> None:
    """`src/platform` must never shadow it: the code runs from the repository's root."""
    assert hasattr(platform, "python_version")
    assert Path(platform.__file__).is_relative_to(Path(sys.base_prefix))


def test_src_itself_is_never_on_the_path() -> None:
    assert (ROOT / "src") not in [Path(entry).resolve() for entry in sys.path if entry]


def test_functions_and_files_stay_small() -> None:
    assert problems() == []


def test_only_the_unit_of_work_commits() -> None:
    allowed = {"src/platform/db/uow.py"}
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "src").rglob("*.py")
        if "session.commit(" in path.read_text(encoding="utf-8")
    }
    assert found <= allowed


def test_only_the_clock_reads_the_clock() -> None:
    """Rules and commands are told the time. The sandbox stands outside of the program."""
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "src").rglob("*.py")
        if "sandbox" not in path.parts and "datetime.now(" in path.read_text(encoding="utf-8")
    }
    assert found == {"src/platform/clock.py"}


def test_no_file_names_a_package_index() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted", "registry.npm" + "js", "deb.debian" + ".org"]
    folders = ["src", "tests", "docs", "requirements", "docker", "benchmarks", ".ci", "assets"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files = [path for path in files if "node_modules" not in path.parts]  # installed, never kept
    files += [path for path in ROOT.iterdir() if path.is_file()]
    texts = [path for path in files if path.suffix not in {".woff2", ".png", ".pyc", ".mo"}]
    found = [
        str(path.relative_to(ROOT))
        for path in texts
        if any(host in path.read_text(encoding="utf-8", errors="replace") for host in hosts)
    ]
    assert found == []
