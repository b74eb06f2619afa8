"""What pyproject.toml allows and constraints.txt pins must fit together, and name no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = {
    canonicalize_name(requirement.name): requirement
    for requirement in map(Requirement, (line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")))
}
DECLARED = [Requirement(text) for text in (*PROJECT["dependencies"], *(text for extra in PROJECT["optional-dependencies"].values() for text in extra))]


@pytest.mark.parametrize("requirement", DECLARED, ids=lambda requirement: requirement.name)
def test_what_is_declared_is_pinned_within_its_range(requirement: Requirement) -> None:
    pinned = re.fullmatch(r"==([\w.]+)", str(PINS[canonicalize_name(requirement.name)].specifier))
    assert pinned is not None
    assert requirement.specifier.contains(pinned[1])


def test_every_pin_is_one_version_and_no_address() -> None:
    assert [name for name, pin in PINS.items() if pin.url or not str(pin.specifier).startswith("==")] == []


def test_torch_is_a_range_for_users_and_the_tested_version_here() -> None:
    torch = next(requirement for requirement in DECLARED if requirement.name == "torch")
    assert {specifier.operator for specifier in torch.specifier} == {">=", "<"}
    assert str(PINS["torch"].specifier) == "==2.13.0"


def test_engines_without_a_wheel_for_every_platform_are_asked_for_where_they_have_one() -> None:
    operon = next(requirement for requirement in DECLARED if requirement.name == "pyoperon")
    machines = {("linux", "x86_64"): True, ("darwin", "arm64"): True, ("darwin", "x86_64"): False, ("win32", "AMD64"): False, ("linux", "aarch64"): False}
    for (system, machine), wanted in machines.items():
        assert operon.marker.evaluate({"sys_platform": system, "platform_machine": machine}) is wanted
