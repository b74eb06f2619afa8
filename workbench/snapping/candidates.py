"""Candidates: what an edge could be called, judged by the whole model.

    curve of the edge  ->  every form fitted to it (edge_fit)          a preview
                       ->  the step each refit would begin with (whole)   who deserves a refit
                       ->  the whole model refitted with the best forms (training.refit), and with their simpler variants
                       ->  errors on checked rows, ties, order (checks, ranking)

A form that is far from the best after that first step stays a preview and says so. The network asked about is never changed; each refitted
candidate carries its own network, so that to snap is to take it. The form that a snapped edge has already is listed as it stands, with the
constants of the network: fitted to the curve anew it would be the same function, written in other constants where splines share its scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from workbench.exceptions import SnapError, TrainingError, UnknownPrimitiveError
from workbench.expression import Number, Symbol, add, fold, free_constants, to_text, with_constants
from workbench.networks.kan import KAN, LEARNED, Edge
from workbench.ops.threads import one_thread
from workbench.primitives import LIBRARY, Form, PrimitiveForm, TypedForm, find
from workbench.snapping import checks, edge_fit, ranking
from workbench.snapping.curve import Curve
from workbench.snapping.edge_fit import EdgeFit
from workbench.snapping.ranking import Beyond
from workbench.snapping.whole import Whole, with_fit
from workbench.training import Problem, refit

_REFITTED, _REFITTED_FEW = 10, 20  # forms that are refitted with the whole model; the latter where a refit costs next to nothing
_HOPELESS = 10.0  # times the best error after one step: a form beyond it stays a preview
ROWS = 4000  # rows a refit looks at: what ranks forms on these ranks them on a million
FEW = 150  # constants up to which a refit costs next to nothing and is carried to its end
_SHORT, _LONG = 3, 20  # steps of a refit, for many constants and for few
_LARGE, _REFITTED_LARGE = 1000, 4  # constants from which a step takes a second, and how many forms are refitted then
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class Candidate:
    """One form for an edge.

    Parameters
    ----------
    edge, form, parameters, free : what would be snapped
    offset, free_offset : what the bias of the slot would be, and whether it is a constant to fit; False for a law without offset
    alone : whether the offset is this edge's own, no learned edge beside or above it sharing it
    preview_r2 : share of the curve's variance the form explains with the rest of the model frozen
    rmse_validation : error of the refitted model on checked rows, in units of the target's spread; None for a preview
    rmse : the same in units of the target; None for several targets or classes
    delta_rmse, delta_r2 : change of rmse_validation and of r2 on checked rows against the model as it is: what the name costs
    complexity : of the form, as the library counts
    n_constants : how many constants are fitted on this edge
    refitted : False where the form stayed a preview
    tied_with : names of the forms that the data cannot tell from this one, those left out that only imitate a simpler one
    digits_lost : how many digits of the data go into telling its constants apart; many mean that it imitates a simpler form
    beyond : this form and those it ties with, continued beyond the data; None without ties
    network : the whole model refitted with this form; None for a preview
    burden : what the form asks to be believed (ranking.burden); the lightest of those that tie comes first
    errors : (n_checked,) squared errors behind rmse_validation, for comparisons in pairs; None for a preview
    """

    edge: Edge
    form: Form
    parameters: tuple[float, ...]
    free: tuple[bool, ...]
    offset: float
    free_offset: bool
    alone: bool
    preview_r2: float
    rmse_validation: float | None
    rmse: float | None
    delta_rmse: float | None
    delta_r2: float | None
    complexity: int
    n_constants: int
    digits_lost: float
    refitted: bool
    tied_with: tuple[str, ...]
    beyond: Beyond | None
    network: KAN | None
    burden: float
    errors: np.ndarray | None

    @property
    def name(self) -> str:
        return self.form.name

    @cached_property
    def text(self) -> str:
        """The edge's function of x, constants rounded for reading; with the offset where it is this edge's own."""
        expression = self.form.expression(Symbol("x"), self.parameters)
        if self.alone and self.free_offset:
            expression = add(expression, Number(self.offset))
        if self.refitted:  # previews are many, and folding is what takes time
            expression = fold(expression)
        return to_text(with_constants(expression, [float(f"{value:.{_DIGITS}g}") for value in free_constants(expression)]))


@dataclass(frozen=True, eq=False)
class _Refit:
    """A fit after its refit with the whole model: constants as they are there, squared errors of the checked rows."""

    fit: EdgeFit
    network: KAN
    errors: np.ndarray
    preview_r2: float
    digits_lost: float

    @property
    def burden(self) -> float:
        return ranking.burden(self.fit, self.digits_lost)

    @property
    def mse(self) -> float:
        return float(self.errors.mean())


@one_thread
def candidates(
    network: KAN,
    edge: Edge,
    problem: Problem,
    library: Iterable[Form | str] | None = None,
    top: int | None = None,
    roughness: float = 1e-6,
) -> tuple[Candidate, ...]:
    """Rank the forms an edge could be snapped to, best first.

    Parameters
    ----------
    network : a fitted network; it stays as it is
    edge : (layer, source, target)
    problem : the rows it was fitted to, and how it is checked
    library : forms, names of primitives or typed formulas; the whole library when left out
    top : how many to return
    roughness : weight of the roughness penalty of learned edges in the refits; the network's own (FitReport.roughness)

    Returns
    -------
    Refitted candidates by error and, where they tie, by simplicity; then previews by the fit of the curve alone.

    Raises
    ------
    UnknownEdgeError, UnknownPrimitiveError, SnapError
    """
    if network.state(edge) == "pruned":
        raise SnapError(f"candidates(edge={edge}): this edge is pruned and has no curve. Undo the pruning, or ask for {_some(network)}.")
    question = _Question(network, edge, problem.thinned(ROWS), forms_of(library), roughness)
    ranked, previews = question.answer()
    return (ranked + previews)[:top]


def curve_of(network: KAN, edge: Edge, problem: Problem, roughness: float = 1e-6) -> Curve:
    """Return what an edge received and gave on the rows, as its candidates are fitted to it."""
    return _Question(network, edge, problem.thinned(ROWS), (), roughness).curve


def forms_of(library: Iterable[Form | str] | None) -> tuple[Form, ...]:
    """Return forms for names, typed formulas and forms; the whole library for None."""
    if library is None:
        return tuple(PrimitiveForm(primitive) for primitive in LIBRARY.values())
    return tuple(dict.fromkeys(form_of(form) for form in library))


def form_of(form: Form | str) -> Form:
    """Return the form of a primitive's name or of a formula in x such as 'a*exp(-b*x)'; forms are returned as they are.

    Raises
    ------
    UnknownPrimitiveError : a plain word that is no primitive
    ExpressionError : a formula that cannot be read
    """
    if not isinstance(form, str):
        return form
    try:
        return PrimitiveForm(find(form))
    except UnknownPrimitiveError:
        if form.strip().isidentifier():
            raise
        return TypedForm(form)


def offset_matters(network: KAN, edge: Edge) -> bool:
    """Say whether a law without an offset says something: whether nothing else could absorb the offset of this edge.

    Another learned edge into the same slot can, and so can every learned edge that leaves the slot's node, where the node is a sum.
    """
    level, row, column = network.position(edge)
    layer = network.layers[level]
    beside = [k for k in np.flatnonzero(layer.alive[row]) if k != column and layer.state(row, int(k)) in LEARNED]
    if beside:
        return False
    if level == len(network.layers) - 1:
        return True
    node = next(node for node in layer.nodes if edge[2] in node.factors)
    above = network.layers[level + 1]
    leaving = above.sources.index(node.id)
    states = [above.state(int(k), leaving) for k in np.flatnonzero(above.alive[:, leaving])]
    return node.kind == "product" or all(state not in LEARNED for state in states)


# ---------------------------------------------------------------------------------------------------- the answer, step by step


class _Question:
    """One edge of one network and the forms it might have."""

    def __init__(self, network: KAN, edge: Edge, problem: Problem, forms: Sequence[Form], roughness: float) -> None:
        self.network, self.edge, self.problem, self.forms, self.roughness = network, edge, problem, forms, roughness
        self.whole = Whole(network, edge, problem, roughness)
        self.curve = Curve.of(self.whole.x, self.whole.y, problem.weights, self._reach())
        self.offset_matters = offset_matters(network, edge)
        n_constants = len(self.whole.program.parameters)
        self.few = n_constants <= FEW
        self.n_refitted = _REFITTED_FEW if self.few else _REFITTED if n_constants < _LARGE else _REFITTED_LARGE
        self.present = present_fit(network, edge)
        self.base = checks.errors(network, problem, roughness)

    def answer(self) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
        """Return refitted candidates and previews, each in order."""
        fits = [self.present if self.present and self._stands(fit) else fit for fit in edge_fit.fit_forms(self.curve, self.forms)]
        if not fits:
            raise SnapError(
                f"None of the forms {', '.join(form.name for form in self.forms)} is defined on what edge {self.edge} receives, "
                f"{self.curve.low:.6g} to {self.curve.high:.6g}. Choose another form, or shift the input."
            )
        full = [found for fit in self._deserving(fits) if (found := self._refit(fit, fit.r2)) is not None]
        chosen = self._simplest(full)
        ranked = [
            self._candidate(member, group)
            for group in ranking.groups(chosen, lambda f: f.errors, lambda f: f.burden)
            for member in group
        ]
        names = {found.fit.form for found in chosen}
        previews = sorted((fit for fit in fits if fit.form not in names), key=lambda fit: fit.error)
        return tuple(ranked), tuple(self._preview(fit) for fit in previews)

    def _stands(self, fit: EdgeFit) -> bool:
        return self.present is not None and fit.form == self.present.form

    def _reach(self) -> np.ndarray | None:
        """Return what the edge receives on the rows kept for checking: a form must be defined there as well."""
        held_out = self.problem.validation
        return None if held_out is None else Whole(self.network, self.edge, held_out).x

    def _deserving(self, fits: Sequence[EdgeFit]) -> list[EdgeFit]:
        """Return the fits to refit: those that promise most, the simpler first where they promise the same; never a hopeless one."""
        if len(fits) == 1:
            return list(fits)
        promises = self.whole.promises(fits)
        floor = ranking.EXACT**2 * self.problem.n_rows
        least = max(float(promises.min()), floor)
        order = sorted(range(len(fits)), key=lambda k: (np.round(np.log2(max(promises[k], floor) / least)), fits[k].form.complexity, fits[k].error))
        good = [fits[k] for k in order if promises[k] <= _HOPELESS**2 * least]
        return good[: self.n_refitted]

    def _refit(self, fit: EdgeFit, preview_r2: float) -> _Refit | None:
        """Refit the whole model with a fit on the edge; None when it leaves its domain on rows it must hold for."""
        if self._stands(fit):
            return _Refit(fit, self.network, self.base, preview_r2, ranking.digits_lost(fit, self.curve.x))
        try:
            with np.errstate(all="ignore"):  # steps that leave the form's domain are tried and turned down
                network, _ = refit(with_fit(self.network, self.edge, fit), self.problem, _LONG if self.few else _SHORT, self.roughness)
        except TrainingError:
            return None
        errors = checks.errors(network, self.problem, self.roughness)
        now = present_fit(network, self.edge)
        if now is None or not np.isfinite(errors.mean()):
            return None
        now = replace(now, error=fit.error)
        return _Refit(now, network, errors, preview_r2, ranking.digits_lost(now, self.curve.x))

    def _simplest(self, full: Sequence[_Refit]) -> list[_Refit]:
        """Return for every form the simplest variant that the checked rows cannot tell from the full one."""
        variants: dict[Form, list[EdgeFit]] = {}
        others = [found.fit for found in full if not self._stands(found.fit)]
        for variant in edge_fit.variants(self.curve, others, self.offset_matters):
            variants.setdefault(variant.form, []).append(variant)
        return [self._plainest(found, variants.get(found.fit.form, [])) for found in full]

    def _plainest(self, full: _Refit, variants: Sequence[EdgeFit]) -> _Refit:
        limit = 10 * full.fit.error + 0.03 if self.few else 1.3 * full.fit.error + 1e-3  # a variant far from the curve has no chance
        tried = [self._refit(variant, full.preview_r2) for variant in variants if variant.error <= limit]
        good = [full, *(found for found in tried if found is not None)]
        return ranking.groups(good, lambda f: f.errors, lambda f: f.burden)[0][0]

    def _candidate(self, found: _Refit, group: list[_Refit]) -> Candidate:
        others = [other for other in group if other is not found and other.digits_lost < ranking.IMITATION]
        squared = self.problem.loss == "squared"
        rmse = found.mse**0.5
        return replace(
            self._preview(found.fit),
            preview_r2=found.preview_r2,
            rmse_validation=rmse,
            rmse=rmse * float(self.problem.scale[0]) if squared and len(self.problem.scale) == 1 else None,
            delta_rmse=rmse - float(self.base.mean()) ** 0.5,
            delta_r2=float(self.base.mean()) - found.mse if squared else None,
            refitted=True,
            tied_with=tuple(other.fit.form.name for other in others),
            beyond=ranking.beyond([found.fit, *(other.fit for other in others)], self.curve) if others else None,
            network=found.network,
            errors=found.errors,
        )

    def _preview(self, fit: EdgeFit) -> Candidate:
        digits = ranking.digits_lost(fit, self.curve.x)
        return Candidate(
            edge=self.edge,
            form=fit.form,
            parameters=fit.parameters,
            free=fit.free,
            offset=fit.offset,
            free_offset=fit.free_offset,
            alone=self.offset_matters,
            preview_r2=fit.r2,
            rmse_validation=None,
            rmse=None,
            delta_rmse=None,
            delta_r2=None,
            complexity=fit.form.complexity,
            n_constants=fit.n_free,
            digits_lost=digits,
            refitted=False,
            tied_with=(),
            beyond=None,
            network=None,
            burden=ranking.burden(fit, digits),
            errors=None,
        )


def present_fit(network: KAN, edge: Edge) -> EdgeFit | None:
    """Return the form an edge has, as the network has it; None for a learned one."""
    snapped = network.symbolic_edge(edge)
    if snapped is None:
        return None
    level, row, _ = network.position(edge)
    layer = network.layers[level]
    return EdgeFit(snapped.form, tuple(snapped.parameters), tuple(snapped.free), float(layer.bias[row]), bool(layer.free_bias[row]), 0.0)


def _some(network: KAN) -> str:
    edges = network.edges()
    return ", ".join(map(str, edges[:3])) + (" ..." if len(edges) > 3 else "")
