"""What the dialog about this machine says, and the set-up it starts, with the real doctor and stand-ins for Julia."""

from __future__ import annotations

import sys
import time

import pytest

from workbench.exceptions import MissingEngineError
from workbench.ui.state.machine import Setup, findings


def ended(setup: Setup) -> Setup:
    for _ in range(400):
        if not setup.running:
            return setup
        time.sleep(0.05)
    pytest.fail("the set-up did not end")


def test_the_doctor_tells_what_is_there() -> None:
    found = {each.name: each for each in findings()}
    assert found["numpy"].state == "ready"
    assert found["PySR"].state == "ready" or "doctor --install pysr" in found["PySR"].remedy


def test_a_doctor_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(MissingEngineError, match="Type kan-workbench doctor"):
        findings((sys.executable, "-c", "print('no JSON')"))


def test_a_set_up_tells_what_it_does_and_how_it_ended() -> None:
    good = ended(Setup((sys.executable, "-c", "print('Julia is there')")))
    assert (good.said, good.failed) == ("Julia is there", False)
    bad = ended(Setup((sys.executable, "-c", "raise SystemExit('no network')")))
    assert (bad.said, bad.failed) == ("no network", True)
