"""Moves on edges: snap to a form, release to a learned function, lock and unlock. Each makes a new network; the one given stays as it is."""

from __future__ import annotations

import numpy as np

from workbench.exceptions import SnapError
from workbench.networks.kan import KAN, LEARNED, Edge
from workbench.networks.program import Program
from workbench.primitives import Form
from workbench.snapping.candidates import FEW, ROWS, Candidate, candidates, form_of
from workbench.trace import trace
from workbench.training import Problem, refit

_STEPS = 6
_POINTS_PER_TERM = 24
_MARGIN = 0.1  # of the range, for a learned edge on a source that no other learned edge uses


def snap(
    network: KAN, edge: Edge, form: Form | str | Candidate, problem: Problem, roughness: float = 1e-6, max_iter: int | None = None
) -> KAN:
    """Replace an edge by a form and fit the whole model again.

    Parameters
    ----------
    network : a fitted network
    edge : (layer, source, target)
    form : a form, the name of a primitive, a formula in x such as 'a*exp(-b*x)', or one of the edge's candidates
    problem : the rows to fit
    roughness : weight of the roughness penalty of learned edges
    max_iter : steps of the refit beyond the candidate's own; none when left out, so that what is snapped is what was listed. A network of
        many constants, whose candidates are fitted briefly and to some of the rows, gets 6

    Returns
    -------
    The refitted network. Of a form's variants (b = 0, no offset) it has the simplest that the checked rows cannot tell from the full one.

    Raises
    ------
    UnknownEdgeError, UnknownPrimitiveError, ExpressionError
    SnapError : the edge is locked or pruned, or the form is not defined on what the edge receives
    """
    if network.state(edge) == "locked":
        raise SnapError(f"snap(edge={edge}): this edge is locked. Unlock it first.")
    found = form if isinstance(form, Candidate) else _only_candidate(network, edge, form_of(form), problem, roughness)
    if found.network is None:  # a preview, or a candidate whose refit left its domain
        return snap(network, edge, found.form, problem, roughness, max_iter)
    if max_iter is None:
        brief = len(Program(found.network).parameters) > FEW or problem.n_rows > ROWS
        max_iter = _STEPS if brief else 0
    return refit(found.network, problem, max_iter, roughness)[0]


def release(network: KAN, edge: Edge, problem: Problem) -> KAN:
    """Turn a snapped edge back into a learned one that follows the form's curve, as closely as its basis can; nothing else changes.

    The curve is projected where the edge receives data and the form is defined; the slot's bias is free again.
    """
    level, row, column = network.position(edge)
    snapped, layer = network.symbolic_edge(edge), network.layers[level]
    if snapped is None:
        raise SnapError(f"release(edge={edge}): this edge is no form but {_a(network.state(edge))}; there is nothing to release.")
    if network.state(edge) == "locked":
        raise SnapError(f"release(edge={edge}): this edge is locked. Unlock it first.")
    x, _ = trace(network, problem.x).of(edge)
    others = [k for k in np.flatnonzero(layer.alive[:, column]) if k != row and layer.state(int(k), column) in LEARNED]
    low, high = _range(x, layer.domain[column], keep=bool(others))
    points = np.linspace(max(low, x.min()), min(high, x.max()), _POINTS_PER_TERM * layer.basis.n_terms + 1)
    curve, _ = snapped.form.evaluate(points, snapped.parameters)
    defined = np.isfinite(curve)
    released = network.with_learned(edge, layer.basis.projected(curve[None, defined], points[defined], (low, high))[0])
    if not others:
        domain = layer.domain.copy()
        domain[column] = low, high
        released = released.with_layer(level, domain=domain)
    return released.with_bias(level, edge[2], float(layer.bias[row]))


def lock(network: KAN, edge: Edge) -> KAN:
    """Keep the constants of an edge as they are in every fit to come."""
    if network.state(edge) == "pruned":
        raise SnapError(f"lock(edge={edge}): this edge is pruned; there is nothing to lock.")
    return network.with_lock(edge, True)


def unlock(network: KAN, edge: Edge) -> KAN:
    """Let fits change the constants of an edge again."""
    return network.with_lock(edge, False)


def _only_candidate(network: KAN, edge: Edge, form: Form, problem: Problem, roughness: float) -> Candidate:
    found = candidates(network, edge, problem, [form], top=1, roughness=roughness)[0]
    if found.network is None:
        x, _ = trace(network, problem.x).of(edge)
        raise SnapError(
            f"snap(edge={edge}, form={form.name!r}): the form leaves its domain in the refit; the edge receives {x.min():.6g} to {x.max():.6g}. "
            "Ask for the edge's candidates: they are all defined there."
        )
    return found


def _range(x: np.ndarray, domain: np.ndarray, keep: bool) -> tuple[float, float]:
    """Return the range of the new edge: the source's present one if others use it or it fits, else that of the data with a margin."""
    low, high = float(x.min()), float(x.max())
    inside = domain[0] <= low and high <= domain[1] and high - low > 0.5 * (domain[1] - domain[0])
    if keep or inside:
        return float(domain[0]), float(domain[1])
    margin = _MARGIN * (high - low) or 0.5
    return low - margin, high + margin


def _a(state: str) -> str:
    return "pruned" if state == "pruned" else f"a {state}"
