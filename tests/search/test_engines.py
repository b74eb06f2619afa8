"""Which engines there are here is found without importing them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workbench.exceptions import MissingEngineError
from workbench.expression import parse
from workbench.julia import JuliaState
from workbench.search import Engine, engines


@pytest.mark.parametrize(
    ("operon", "julia", "there"),
    [
        (False, JuliaState("2.7.2", fault="its Julia packages are not installed"), ("screens",)),
        (True, JuliaState(None, fault="not installed"), ("screens", "operon")),
        (True, JuliaState("2.7.2", "1.11.7", "julia"), ("screens", "operon", "pysr")),
    ],
)
def test_the_engines_that_can_be_used(monkeypatch: pytest.MonkeyPatch, operon: bool, julia: JuliaState, there: tuple[str, ...]) -> None:
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: object() if operon and name == "pyoperon" else None)
    monkeypatch.setattr(engines, "julia_state", lambda: julia)
    assert engines.installed() == there


@pytest.mark.parametrize("name", engines.NAMES)
def test_every_one_of_them_is_an_engine(name: str) -> None:
    engine: Engine = engines.engine(name, [parse("x")])
    assert engine.name == name


def test_guesses_reach_the_engine_that_takes_them() -> None:
    assert engines.engine("pysr", [parse("2.0*x")]).guesses == (parse("2.0*x"),)


def test_another_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(MissingEngineError, match="There is no engine 'eureqa'. Engines: screens, operon, pysr"):
        engines.engine("eureqa")


def test_asking_imports_none_of_them() -> None:
    question = "import sys; from workbench.search.engines import installed; installed(); print([n for n in ('pyoperon', 'pysr', 'juliacall') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True).stdout.strip() == "[]"
