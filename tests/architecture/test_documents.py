"""What is written down is there: links lead somewhere, and commands can be typed."""

import re
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from src.cli import main
from tests.architecture.sizes import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
TYPED = re.compile(r"\bseatline ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8"))]
    ours = [link for link in links if link and "://" not in link and not link.startswith("mailto:")]
    assert [link for link in ours if not (page.parent / link).exists()] == []


def is_command(words: list[str]) -> bool:
    """Whether the words, as far as they are commands, lead to one that does something."""
    found: click.Command | None = main
    for word in words:
        if not isinstance(found, click.Group):
            return True
        found = found.commands.get(word)
    return isinstance(found, click.Command) and not isinstance(found, click.Group)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_the_pages_can_be_typed(page: Path) -> None:
    quoted = re.findall(r"`(seatline [^`]+)`", page.read_text(encoding="utf-8"))
    typed = [match[1].split() for text in quoted if (match := TYPED.match(text))]
    assert [words for words in typed if not is_command(words)] == []


def test_the_command_is_there_and_speaks_for_itself() -> None:
    done = subprocess.run(
        [ROOT / "bin/seatline", "--help"], check=True, cwd="/", capture_output=True, text=True
    )
    assert done.stdout.startswith("Usage: seatline [OPTIONS] COMMAND")
    image = (ROOT / "docker/Dockerfile").read_text()
    assert "COPY bin bin" in image
    assert "PATH=/app/bin:" in image


def services() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load(
        (ROOT / "docker/compose.yml").read_text(encoding="utf-8")
    )["services"]
    return found


def test_compose_runs_commands_that_exist() -> None:
    commands = {name: each.get("command") for name, each in services().items() if "build" in each}
    assert commands.pop("web") is None
    assert set(commands) == {"migrate", "worker", "relay"}
    for command in commands.values():
        assert isinstance(command, list)
        assert command[0] == "seatline"
        assert is_command(command[1:]), command


def test_compose_names_files_and_services_that_exist() -> None:
    for name, each in services().items():
        for other in each.get("depends_on", {}):  # type: ignore[attr-defined]  # parsed YAML
            assert other in services(), name
        for volume in each.get("volumes", []):  # type: ignore[attr-defined]  # parsed YAML
            source = volume.split(":")[0]
            assert not source.startswith(".") or (ROOT / "docker" / source).exists(), source
        build = each.get("build")
        if isinstance(build, dict):
            assert (ROOT / "docker" / build["context"] / build["dockerfile"]).is_file()


def test_compose_waits_for_the_real_server() -> None:
    """A new database is filled by a server that listens on its socket only."""
    check = services()["postgres"]["healthcheck"]
    assert "-h 127.0.0.1" in check["test"][1]  # type: ignore[index]  # parsed YAML


def test_the_image_copies_what_there_is() -> None:
    lines = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [
        line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    needed = {"src", "bin", "migrations", "templates", "static", "locales", "alembic.ini"}
    assert needed <= set(copied)
