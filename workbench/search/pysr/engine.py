"""The engine as others see it: PySR in a process of its own, its hall of fame read while it grows."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from workbench.exceptions import MissingEngineError, TableError
from workbench.expression import Expression, Symbol, complexity, substitute
from workbench.julia import JuliaState, julia_state
from workbench.search.problem import Proposal, SearchProblem
from workbench.search.process import Progress, proposals, within
from workbench.search.pysr.hall_of_fame import open_hall_of_fame
from workbench.search.pysr.settings import column_names, regressor_settings
from workbench.search.pysr.template import Template

READ_EVERY = 0.5  # seconds between two looks at the file
_RUN = "run"


@dataclass(frozen=True)
class PySREngine:
    """PySR, where its Julia is installed.

    Parameters
    ----------
    seconds : the longest it may take; None as long as `stop` lets it
    guesses : formulas to start from, such as a snapped one
    template : a structure that the law must have, such as a network's; guesses are then not used
    progress : told in words what it does
    """

    seconds: float | None = None
    guesses: tuple[Expression, ...] = ()
    template: Template | None = None
    progress: Progress | None = None

    name: ClassVar[str] = "pysr"

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        """Yield the formulas of the hall of fame, each when it appears there.

        Raises
        ------
        MissingEngineError : PySR or its Julia is not installed
        JobError : its process failed
        """
        state = julia_state()
        if not state.ready:
            raise MissingEngineError(missing(state))
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            settings = regressor_settings(problem, random_state, self.seconds, self.guesses, self.template)
            settings |= {"folder": folder, "run": _RUN}
            growing = _Growing(Path(folder) / _RUN / "hall_of_fame.csv", problem, self.template)
            over = within(self.seconds, stop)
            yield from proposals(self.name, problem, settings, over, self.progress, growing.news)
            yield from growing.news(now=True)


class _Growing:
    """A hall of fame that is being written."""

    def __init__(self, path: Path, problem: SearchProblem, template: Template | None) -> None:
        self.path, self.problem = path, problem
        columns = column_names(problem.symbols)
        self.back = {column: Symbol(symbol) for symbol, column in columns.items()}
        self.names = list(columns.values())
        self.template = None if template is None else _travelling(template, columns)
        self.seen: set[Expression] = set()
        self.read_at = -READ_EVERY

    def news(self, now: bool = False) -> Iterator[Proposal]:
        """Yield what was not there before."""
        if not now and time.monotonic() - self.read_at < READ_EVERY:
            return
        self.read_at = time.monotonic()
        try:
            found = open_hall_of_fame(self.path, self.names, self.template)
        except TableError:  # it has not been written yet
            return
        for proposal in found:
            expression = substitute(proposal.expression, self.back)
            allowed = self.problem.max_complexity is None or complexity(expression) <= self.problem.max_complexity
            if allowed and expression not in self.seen:
                self.seen.add(expression)
                yield replace(proposal, expression=expression)


def missing(state: JuliaState) -> str:
    """Say in one sentence what is missing and how to get it."""
    if state.pysr is None:
        return f"PySR is not installed. Type: {sys.executable} -m pip install pysr"
    return f"PySR {state.pysr} is there, but {state.fault or 'its Julia is not installed'}. Type: kan-workbench doctor --install pysr"


def _travelling(template: Template, columns: dict[str, str]) -> Template:
    """Return the template in the names that PySR writes: pieces f1, f2, ... of x1, x2, ..."""
    pieces = {piece: f"f{number}" for number, piece in enumerate(template.pieces, 1)}
    arguments = {pieces[piece]: tuple(columns[name] for name in names) for piece, names in template.pieces.items()}
    return Template(arguments, substitute(template.combine, {piece: Symbol(name) for piece, name in pieces.items()}))
