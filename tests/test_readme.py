"""The README is run: its Python in a fresh interpreter, its commands through the command line's own parser."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.cli.arguments import parse_arguments

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


COMMANDS = [line.partition("#")[0].strip() for block in _blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("number", range(len(_blocks("python"))))
def test_the_python_of_the_readme_runs_without_a_warning(number: int, tmp_path: Path) -> None:
    answer = subprocess.run([sys.executable, "-W", "error", "-c", _blocks("python")[number]], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip()


def test_the_readme_shows_python() -> None:
    assert len(_blocks("python")) >= 2


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("kan-workbench")])
def test_the_commands_of_the_readme_are_understood(line: str) -> None:
    assert callable(parse_arguments(shlex.split(line)[1:]).command)


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("make")])
def test_the_make_targets_of_the_readme_exist(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{line.split()[1]}:", makefile, re.MULTILINE)


def test_every_file_the_readme_shows_or_links_exists() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in target]
    assert [target for target in targets if not (ROOT / target).exists()] == []
