"""A discovery: from a fitted network to a formula, move by move, every move recorded, reversible and replayable.

`Discovery` is the one object that changes: a cursor over states that do not. Moves (fit, prune, eliminate, snap, release, lock, unlock, refit)
append a state and return the discovery; undo, redo and go_to move the cursor; queries (edges, candidates, formula, pruning curve) leave every
byte as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench import pruning, snapping
from workbench.dataset import Dataset
from workbench.discovery import addresses, choices, extension, hypothesis, laws, reading, script, storage, summaries
from workbench.discovery.history import History
from workbench.discovery.moves import Move
from workbench.discovery.settings import config_of
from workbench.discovery.state import Metrics, State, measure, problems
from workbench.discovery.watching import Watcher, watched
from workbench.exceptions import DiscoveryError, SnapError
from workbench.expression import Expression, to_text
from workbench.networks import KAN, Edge, SymbolicEdge
from workbench.trace import trace
from workbench.training import Problem, degrees_for, fit, intervals_for, refit, refitting

if TYPE_CHECKING:
    from workbench.discovery.choices import Choice
    from workbench.formula import Formula, Prediction
    from workbench.table import Source, Table

Verdict = Literal["law", "approximation", "none"]


class Discovery(History):
    """The human in the loop.

    Parameters
    ----------
    data : the dataset; its training rows are fitted, its validation rows or folds judge, its test rows are only reported

    Attributes
    ----------
    verdict : what the autopilot says of its result: "law", "approximation" or "none" (no law found, or not asked)
    reasons : why, in sentences: all that speaks for a law, or what speaks against one
    front : states of the autopilot's Pareto front, simplest first
    file : the file it was saved to or brought back from last, which its script reads the data from

    Examples
    --------
    >>> import workbench as wb
    >>> found = wb.Discovery(wb.load_sample("planets"))
    >>> found.fit(hidden_layer_sizes=()).snap((0, "a_au", 0), "x^p").metrics.n_symbolic
    1
    """

    def __init__(self, data: Dataset) -> None:
        super().__init__()
        self.data = data
        self._problems: tuple[Problem, ...] = problems(data)
        self.verdict: Verdict = "none"
        self.reasons: tuple[str, ...] = ()
        self.front: tuple[int, ...] = ()
        self.file: str | None = None

    # ---- where we are

    @property
    def network(self) -> KAN:
        """The network of the present state (of the first group, where there are groups)."""
        return self.state.networks[0]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is fitted, one problem per group of rows."""
        return self._problems

    @property
    def metrics(self) -> Metrics:
        return self.state.metrics

    # ---- moves

    def fit(self, watch: Watcher | None = None, stop_after: int | None = None, **settings: Any) -> Discovery:
        """Fit a new network; settings are those of `training.FitConfig`.

        Parameters
        ----------
        watch : called with progress after every iteration; where it returns True the fit ends, and the best network so far is kept
        stop_after : iterations after which it ends; recorded of a fit that was ended, so that it can be made again to the same bytes
        """
        settings = {**self._resolutions(settings.get("basis")), **settings}
        config = config_of(settings)
        done = watched(lambda _, problem, enough: fit(problem, config, enough), self._problems, watch, stop_after)
        roughness = max(result.report.roughness for result in done.results)
        move = Move("fit", settings | _ended(done.stop_after))
        return self._made(move, tuple(result.network for result in done.results), roughness)

    def suppose(self, formula: str | Expression, origin: str | None = None) -> Discovery:
        """Make a network of a formula, every operation a node or an edge, and fit its constants.

        Parameters
        ----------
        formula : such as "k*Girth^p*Height"; a name that is no column is a constant to fit, and so is a number with a point (2.0, not 2)
        origin : who supposes it, such as the name of a search engine; left out where a person does
        """
        text = formula if isinstance(formula, str) else to_text(formula)
        expression, open_names = hypothesis.read(text, self.data)
        networks = hypothesis.compiled(expression, open_names, self.data, self._problems)
        move = Move("suppose", {"formula": text} | ({} if origin is None else {"origin": origin}))
        return self._made(move, self._refitted(networks, 100, hypothesis.ROUGHNESS), hypothesis.ROUGHNESS)

    def extend(self, watch: Watcher | None = None, stop_after: int | None = None, **settings: Any) -> Discovery:
        """Fit a second network to what the present one misses, and add it; the present constants stay as they are until the next refit.

        Settings as for `fit`; left out, every input gets one curve (`hidden_layer_sizes=()`) of the kind that the network has.
        """
        basis = settings.get("basis", extension.family(self.network))
        kind = {} if basis == "spline" else {"basis": basis}
        settings = {"hidden_layer_sizes": (), **self._resolutions(basis), **kind, **settings}
        config = config_of(settings)
        missed = tuple(extension.residual(network, problem) for network, problem in zip(self.state.networks, self._problems, strict=True))
        below = self.state.networks
        done = watched(lambda k, problem, enough: extension.on_top(below[k], fit(problem, config, enough)), missed, watch, stop_after)
        roughness = max(self.state.roughness, *(result.report.roughness for result in done.results))
        return self._made(Move("extend", settings | _ended(done.stop_after)), tuple(result.network for result in done.results), roughness)

    def open_hall_of_fame(self, path: str | os.PathLike[str]) -> Discovery:
        """Take in the formulas of a hall_of_fame.csv that PySR wrote, or of the folder of its run: fitted again, judged, and part of the front.

        Each is a branch of its own; the discovery then stands at the shortest description of the checked rows.
        """
        from workbench.discovery.hall_of_fame import joined

        return joined(self, path)

    def search(self, engine: str, time_budget: float = 60.0, keep_structure: bool = False) -> Discovery:
        """Have one engine look for whole formulas, from where the discovery stands; what it finds is judged and becomes part of the front.

        Parameters
        ----------
        engine : "screens" (our own), "operon", or "pysr", which starts from the present formula
        time_budget : seconds
        keep_structure : PySR looks for the pieces that the present network's structure has, such as f(a, b) + g(c)
        """
        from workbench.discovery.autopilot.front import with_more
        from workbench.discovery.continuation import searched_on

        return with_more(self, list(searched_on(self, engine, time_budget, keep_structure)))

    def prune(
        self,
        threshold: float | None = None,
        edges: Iterable[Sequence[Any]] | None = None,
        nodes: Iterable[Sequence[int]] | None = None,
        inputs: Iterable[str | int] | None = None,
    ) -> Discovery:
        """Prune what matters less than a threshold, or the edges, hidden nodes (layer, id) or inputs given; then refit what is left."""
        given = {"threshold": threshold, "edges": edges, "nodes": nodes, "inputs": inputs}
        arguments = {name: value for name, value in given.items() if value is not None}
        if len(arguments) != 1:
            raise DiscoveryError("prune() takes one of threshold=, edges=, nodes= or inputs=, such as prune(threshold=0.02).")
        shares = self._importance()
        if threshold is not None:
            weak = set(self.network.edges()) - set(pruning.prune(self.network, shares, threshold).edges())
        else:
            weak = set(addresses.members(self.data, self.network, edges, nodes, inputs))
        if edges is not None:
            arguments["edges"] = [addresses.readable(self.data, self.network, edge) for edge in sorted(weak)]
        lighter = tuple(pruning.without(network, pruning.importance(t), sorted(weak)) for network, t in self._traces())
        return self._made(Move("prune", arguments), self._refitted(lighter, 20))

    def eliminate(self, tolerance: float = 1.0) -> Discovery:
        """Remove edge after edge, refitting each time, as long as the error on checked rows allows.

        Parameters
        ----------
        tolerance : standard errors by which the smallest error of the whole path may be exceeded
        """
        steps = self.pruning_curve()
        best = min(steps, key=lambda step: step.error)
        allowed = best.error + tolerance * best.standard_error + 1e-12
        # below a thousandth of the spread a fit is limited by its basis, not by the data: there a factor counts, not a standard error
        allowed = max(allowed, min(9.0 * best.error, 1e-6))
        chosen = min((step for step in steps if step.error <= allowed), key=lambda step: step.n_edges)
        many = any(problem.n_rows > pruning.ROWS for problem in self._problems)
        networks = self._refitted(chosen.networks, 20) if many and chosen.edges else chosen.networks
        return self._made(Move("eliminate", {"tolerance": tolerance}), networks)

    def snap(self, edge: Sequence[Any], form: str, parameters: Mapping[str, float] | None = None, offset: bool = True) -> Discovery:
        """Replace an edge by a named form ("x^p", "sin") or a typed one ("a*exp(-b*x)+c"), and refit the whole model.

        Parameters
        ----------
        edge : (layer, source, target)
        form : name of a primitive, or a formula in x
        parameters : constants to start the refit from, such as {"c": 1.0, "a": 3.0, "b": 0.0}; found by a fit to the edge's curve when left out
        offset : False holds the sum that the edge enters to its edges alone, without a constant: a law like V = V0*exp(-t/RC)
        """
        address = addresses.resolve(self.data, self.network, edge)
        arguments: dict[str, Any] = {"edge": addresses.readable(self.data, self.network, address), "form": form}
        if parameters is not None:
            arguments["parameters"] = dict(parameters)
            networks = self._refitted(tuple(_placed(network, address, form, parameters) for network in self.state.networks), 20)
        else:
            networks = tuple(
                snapping.snap(network, address, form, problem, self.state.roughness)
                for network, problem in zip(self.state.networks, self._problems, strict=True)
            )
        if not offset:
            arguments["offset"] = False
            networks = self._refitted(tuple(network.with_bias(address[0], address[2], 0.0, free=False) for network in networks), 100)
        return self._made(Move("snap", arguments), networks)

    def release(self, edge: Sequence[Any]) -> Discovery:
        """Turn a snapped edge back into a learned one of the same curve, and refit."""
        address = addresses.resolve(self.data, self.network, edge)
        networks = tuple(
            snapping.release(network, address, problem)
            for network, problem in zip(self.state.networks, self._problems, strict=True)
        )
        return self._made(Move("release", {"edge": addresses.readable(self.data, self.network, address)}), self._refitted(networks, 20))

    def lock(self, edge: Sequence[Any]) -> Discovery:
        """Keep an edge's constants as they are in every later fit."""
        return self._locked("lock", edge, True)

    def unlock(self, edge: Sequence[Any]) -> Discovery:
        """Let fits change an edge's constants again."""
        return self._locked("unlock", edge, False)

    def refit(self, max_iter: int = 100, watch: Watcher | None = None, stop_after: int | None = None) -> Discovery:
        """Fit every free constant on from where it stands; `watch` and `stop_after` as for a fit."""
        state = self.state
        done = watched(
            lambda k, problem, enough: refitting(state.networks[k], problem, max_iter, state.roughness, enough=enough),
            self._problems, watch, stop_after,
        )  # fmt: skip
        return self._made(Move("refit", {"max_iter": max_iter} | _ended(done.stop_after)), tuple(result.network for result in done.results))

    def branch(self) -> Discovery:
        """Return a second discovery that stands here and goes its own way; states are shared, they never change."""
        other = Discovery(self.data)
        other._problems = self._problems
        other._share(self)
        other.verdict, other.reasons, other.front, other.file = self.verdict, self.reasons, self.front, self.file
        return other

    # ---- queries: nothing below changes a byte

    @property
    def edges(self) -> tuple[summaries.EdgeSummary, ...]:
        """The edges that are not pruned, inputs first."""
        return summaries.of_edges(self.data, self.network, self._importance())

    def candidates(self, edge: Sequence[Any], top: int | None = None, **options: Any) -> tuple[Choice, ...]:
        """Return forms for an edge, best first, each judged by the refitted whole model on checked rows."""
        address = addresses.resolve(self.data, self.network, edge)
        found = choices.choices(self.state.networks, address, self._problems, self.state.roughness, **options)
        return found[:top]

    def search_deeper(self, edge: Sequence[Any], time_budget: float = 10.0) -> tuple[Choice, ...]:
        """Return forms for an edge as `candidates` does, with those among them that the search engines found for its curve in so many seconds."""
        from workbench.discovery.deeper import searched

        return searched(self, addresses.resolve(self.data, self.network, edge), time_budget)

    def pruning_curve(self) -> list[pruning.Removal]:
        """Return what removing edge after edge would cost, each step refitted."""
        return pruning.elimination(self.state.networks, self._problems, self.state.roughness)

    def formula(self, decimals: int | None = None, nice: bool | None = None) -> Formula:
        """Return the formula of the present state with its certificate.

        Parameters
        ----------
        decimals : round the constants to so many digits after the point
        nice : replace constants by integers, fractions and multiples of pi, e and roots where the data cannot tell the difference; left out:
            done for a formula of the autopilot, not for one made by hand
        """
        return reading.read_formula(self.data, self.state, decimals, self.state.id in self.front if nice is None else nice)

    def predict(self, table: Table | Source) -> Prediction:
        """Predict every row of a new table with the formula, and say which rows lie outside the range it was fitted on.

        The table needs the columns of the inputs (and of the groups); dates and categories are read as the fit's own table was.
        """
        return reading.predicted(self.formula(), self.data, table)

    @property
    def pareto(self) -> tuple[Formula, ...]:
        """The formulas of the autopilot that none other beats in both complexity and error, and rivals that none clearly beats; simplest first."""
        return tuple(reading.read_formula(self.data, self._states[number], None, True) for number in self.front)

    def pareto_table(self, every: bool = False) -> list[dict[str, Any]]:
        """Return the formulas of the front as records, simplest first: `pandas.DataFrame(best.pareto_table())` is a table.

        Each has "formula", "complexity", "error" and "r2" on checked rows, "origin", "stability" under resampling, "fits_units", "constants" as
        (value, low, high) with 95 % intervals, and "state", to `go_to`.

        Parameters
        ----------
        every : all formulas there are, not only those of the front
        """
        states = laws.of_their_own(self.states) if every or not self.front else [self._states[number] for number in self.front]
        return [each.to_record() for each in laws.laws(self, states)]

    def to_script(self) -> str:
        """Return the moves that led here as a Python script; it replays them to the same bytes on one machine and set of versions."""
        return script.to_script(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Keep everything in one file: data, states, cursor. `load_discovery` brings it back."""
        storage.save(self, path)
        self.file = os.fspath(path)

    # ---- inside

    def _made(self, move: Move, networks: tuple[KAN, ...], roughness: float | None = None) -> Discovery:
        roughness = self.state.roughness if roughness is None else roughness
        metrics = measure(self.data, networks, self._problems, roughness)
        self._append(State(max(self._states, default=0) + 1, self._cursor, move, networks, roughness, metrics))
        return self

    def _refitted(self, networks: tuple[KAN, ...], max_iter: int, roughness: float | None = None) -> tuple[KAN, ...]:
        roughness = self.state.roughness if roughness is None else roughness
        parts = zip(networks, self._problems, strict=True)
        with np.errstate(all="ignore"):  # steps that leave a form's domain are tried and turned down
            return tuple(refit(network, problem, max_iter, roughness)[0] for network, problem in parts)

    def _locked(self, name: str, edge: Sequence[Any], locked: bool) -> Discovery:
        address = addresses.resolve(self.data, self.network, edge)
        move = Move(name, {"edge": addresses.readable(self.data, self.network, address)})
        return self._made(move, tuple(network.with_lock(address, locked) for network in self.state.networks))

    def _traces(self) -> list[tuple[KAN, Any]]:
        return [(network, trace(network, problem.x)) for network, problem in zip(self.state.networks, self._problems, strict=True)]

    def _importance(self) -> pruning.Importance:
        """Return the importance of every edge: the largest over the groups."""
        every = [pruning.importance(traced) for _, traced in self._traces()]
        edges = tuple(np.max([shares.edges[level] for shares in every], axis=0) for level in range(len(self.network.layers)))
        return replace(every[0], edges=edges)

    def _resolutions(self, basis: str | None) -> dict[str, Any]:
        """Return the resolutions of a basis that the rows can carry, as a setting of the fit."""
        n_rows = min(problem.n_rows for problem in self._problems)
        return {"degrees": degrees_for(n_rows)} if basis == "rational" else {"intervals": intervals_for(n_rows)}


def _ended(stop_after: int | None) -> dict[str, int]:
    return {} if stop_after is None else {"stop_after": stop_after}


def _placed(network: KAN, edge: Edge, name: str, parameters: Mapping[str, float]) -> KAN:
    """Return the network with a form on an edge at the constants given."""
    form = snapping.form_of(name)
    names = form.parameter_names
    if set(parameters) != set(names):
        raise SnapError(f"snap(form={name!r}, parameters={dict(parameters)}): give a number for each of {', '.join(names)}.")
    values = tuple(float(parameters[each]) for each in names)
    return network.with_symbolic(edge, SymbolicEdge(form, values, form.free))
