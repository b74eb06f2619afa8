"""What the files of the canvas must not do: a strict policy would break them in the browser, or they would leak."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import workbench
from workbench.ui.canvas import PROJECT

PACKAGE = Path(workbench.__file__).parent
FRONTEND = PACKAGE / "ui" / "canvas" / "frontend"
FILES = sorted(path for path in FRONTEND.rglob("*") if path.suffix in {".js", ".css"})
SCRIPTS = [path for path in FILES if path.suffix == ".js"]


def _name(path: Path) -> str:
    return path.relative_to(FRONTEND).as_posix()


def test_the_manifest_names_the_project_and_a_folder_that_exists() -> None:
    manifest = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))
    assert manifest["project"]["name"] == PROJECT
    components = {entry["name"]: entry["asset_dir"] for entry in manifest["tool"]["streamlit"]["component"]["components"]}
    assert set(components) == {"network", "inspector", "laws", "functions", "attention"}
    for name, folder in components.items():
        assert (PACKAGE / folder / f"{name}.js").is_file()
        assert (PACKAGE / folder / f"{name}.css").is_file()


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_no_script_reads_text_as_markup_or_code(path: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment|DOMParser"
    assert re.findall(forbidden, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_file_asks_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert re.findall(r"https?://|//[a-z]+\.[a-z]|\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket", text) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_every_import_is_a_file_of_ours(path: Path) -> None:
    for target in re.findall(r'^import .*? from "(.*?)";|^import "(.*?)";', path.read_text(encoding="utf-8"), re.MULTILINE):
        name = next(part for part in target if part)
        assert name.startswith(("./", "../"))
        assert (path.parent / name).resolve().is_file(), name


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_fits_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_colours_come_from_the_theme() -> None:
    """Shadows are the one exception: they are black in light and dark."""
    for path in FILES:
        text = re.sub(r"rgb\(0 0 0 / \d+%\)", "", path.read_text(encoding="utf-8"))
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![-\w])(?=[;\s,)\"'])|\brgba?\(|\bhsla?\(", text) == [], path.name
