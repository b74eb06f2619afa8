"""The task that shortens a formula: it may take minutes, tells every shorter form as soon as it is found, and can be stopped at any time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from workbench.export import to_latex
from workbench.expression import complexity, to_text
from workbench.formula.simplification import Effort, simplifications
from workbench.worker.context import Context
from workbench.worker.desk import Desk
from workbench.worker.registry import Arguments, Arrays, task


@task("formula.simplify")
def simplify(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Shorten the formula of a state. Arguments: `effort` "light" or "thorough"; `decimals`, `nice` as for the formula.

    Returns the shortest form of every output; each shorter one goes out as progress while the search goes on.
    """
    desk = Desk(arguments)
    formula = desk.found.formula(decimals=cast("int | None", arguments.get("decimals")), nice=bool(arguments.get("nice", True)))
    effort = cast("Effort", arguments.get("effort", "light"))
    ranges = {column.symbol: (column.low, column.high) for column in formula.inputs}
    shortest: list[Mapping[str, object]] = []
    for number, output in enumerate(formula.outputs):
        best = output.expression
        for shorter in simplifications(output.expression, effort, ranges, formula.definitions):
            context.check()
            best = shorter
            context.progress(number / len(formula.outputs), f"{complexity(best)} symbols", {"text": to_text(best)})
        shortest.append({"symbol": output.symbol, "text": to_text(best), "latex": to_latex(best), "complexity": complexity(best)})
    return {"outputs": shortest, "before": formula.complexity}
