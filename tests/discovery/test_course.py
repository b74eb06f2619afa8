"""What is heard of a search: every law once, with whole numbers where it has them."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.discovery.autopilot.course import Heard
from workbench.discovery.autopilot.findings import finding
from workbench.discovery.discovery import Discovery
from workbench.expression import parse


@pytest.mark.parametrize("rival_first", [False, True])
def test_of_a_law_that_was_found_twice_the_one_with_whole_numbers_stands(rival_first: bool) -> None:
    generator = np.random.default_rng(6)
    a, b = generator.uniform(0.5, 2.0, (2, 211))
    data = wb.Dataset.from_table({"a": a, "b": b, "y": 2.0 * a**2 / b + 0.02 * generator.normal(size=211)}, "y")
    found = Discovery(data)
    law = finding(found.leave().suppose(parse("2.0*a**2/b"), "screens"))
    rival = finding(found.leave().suppose(parse("2.0*a**2.001*b**(-1.001)"), "textbook"), rival=True, named=4.5)
    assert str(law.formula) == str(rival.formula)
    heard = Heard(found, None)
    heard.of([rival, law] if rival_first else [law, rival])
    assert [(each.state, each.named) for each in heard.findings] == [(law.state, 4.5)]  # and its name with it
