"""The front of a discovery: what it becomes when a search ends, or when formulas from elsewhere join it, and which of it is picked."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.discovery.autopilot.findings import Finding, as_short, finding, pareto, shortest
from workbench.discovery.autopilot.verdict import DIGITS, digits_lost, judgement
from workbench.discovery.discovery import Discovery
from workbench.exceptions import DiscoveryError


def concluded(found: Discovery, findings: list[Finding], flexible: float, max_complexity: int | None) -> Discovery:
    """Pick the simplest formula as good as the best, and say what it is worth."""
    if not findings:
        raise DiscoveryError("No shape could be fitted to these rows. Look at the notes of the dataset: are the inputs finite, is the target varied?")
    front = pareto(findings)
    allowed = [f for f in front if max_complexity is None or f.formula.complexity <= max_complexity]
    found.front = tuple(each.state for each in front)
    if not allowed:
        found.verdict, found.reasons = "none", (f"No formula of at most {max_complexity} parts was found.",)
        return found.go_to(front[0].state)
    picked = shortest(allowed, lambda each: digits_lost(found, each) > DIGITS)
    found.go_to(picked.state)
    said = judgement(found, picked, findings, flexible)
    found.verdict, found.reasons = said.verdict, (*said.reasons, *_of_units(picked, allowed))
    return found


def _of_units(picked: Finding, allowed: list[Finding]) -> tuple[str, ...]:
    """Say of the formula picked whether it fits the units, where something hangs on that."""
    if picked.fits_units is False:
        return ("It does not fit the units: it adds quantities that are not alike, or a function is given one that is no pure number.",)
    if picked.fits_units and any(other.fits_units is False for other in as_short(allowed)):
        return ("It fits the units; others that describe the rows as shortly do not.",)
    return ()


def with_more(found: Discovery, new: Sequence[Finding]) -> Discovery:
    """Make findings part of the front, and stand at the shortest description of the checked rows; the verdict stays what it was."""
    front = pareto([*(finding(found.go_to(state)) for state in found.front), *new])
    found.front = tuple(each.state for each in front)
    return found.go_to(shortest(front, lambda each: digits_lost(found, each) > DIGITS).state)
