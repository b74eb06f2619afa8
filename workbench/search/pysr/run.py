"""The side that runs in its own process, the only one that imports PySR. It yields nothing: its hall of fame is read as it grows, by who asked."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

from workbench.search.problem import Proposal, SearchProblem


def answers(problem: SearchProblem, settings: Mapping) -> Iterator[Proposal | str]:
    """Run PySR until its time is over."""
    yield "PySR starts Julia, which takes a while the first time"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it gives advice to people at a keyboard
        from pysr import PySRRegressor, TemplateExpressionSpec

        arguments = dict(settings["regressor"])
        arguments["constraints"] = {operator: tuple(limits) for operator, limits in arguments["constraints"].items()}
        template = settings["template"]
        spec = {} if template is None else {"expression_spec": TemplateExpressionSpec(**template)}
        model = PySRRegressor(**arguments, **spec, output_directory=settings["folder"], run_id=settings["run"])
        yield "PySR searches"
        model.fit(problem.X, problem.y, weights=problem.weights, variable_names=settings["names"])
