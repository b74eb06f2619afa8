"""A formula that has no value on a row that is checked, once it is fitted without that row, is no find, and ends nothing."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.discovery.autopilot.course import Heard
from workbench.discovery.autopilot.findings import finding
from workbench.discovery.autopilot.pilot import judged
from workbench.discovery.discovery import Discovery
from workbench.exceptions import DiscoveryError
from workbench.expression import parse
from workbench.search import Proposal

BEYOND = "1.0*sqrt(x - 2.05)"  # a fold that does not hold the least x moves the constant beyond it


def table() -> wb.Dataset:
    """Return rows of sqrt(x - 2.3) with one at 2.1, of which that law has no value."""
    x = np.append(2.1, np.random.default_rng(1).uniform(2.31, 4.0, 100))
    return wb.Dataset.from_table({"x": x, "y": np.sqrt(np.maximum(x - 2.3, 0.0))}, "y")


def test_what_has_no_value_on_a_checked_row_is_not_taken_in() -> None:
    with pytest.raises(DiscoveryError, match="finite value"):
        judged(table(), [Proposal(parse(BEYOND), "screens")])
    found = judged(table(), [Proposal(parse(BEYOND), "screens"), Proposal(parse("1.0*x - 2.0"), "screens")])
    assert str(found.formula().outputs[0].expression).count("sqrt") == 0


def test_nobody_hears_of_it() -> None:
    found = Discovery(table())
    heard = Heard(found, None)
    heard.of([finding(found.suppose(parse(BEYOND), "typed"))])
    assert not heard.findings
