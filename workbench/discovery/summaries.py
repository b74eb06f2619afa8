"""Edges as a person sees them: label, importance, state and form in a line."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.dataset import Dataset
from workbench.discovery import addresses
from workbench.expression import Symbol, fold, readable
from workbench.networks import KAN, Edge
from workbench.pruning import Importance


@dataclass(frozen=True)
class EdgeSummary:
    """One edge as a person sees it."""

    index: Edge
    label: str
    importance: float
    state: str
    form: str | None


def of_edges(data: Dataset, network: KAN, importance: Importance) -> tuple[EdgeSummary, ...]:
    """Return a line for every edge that is not pruned, inputs first."""
    return tuple(
        EdgeSummary(edge, addresses.label(data, network, edge), min(importance[edge], 1.0), network.state(edge), _form_text(network, edge))
        for edge in network.edges()
    )


def _form_text(network: KAN, edge: Edge) -> str | None:
    """Return the form of a snapped edge with its constants to four digits, None for a learned one."""
    snapped = network.symbolic_edge(edge)
    if snapped is None:
        return None
    return readable(fold(snapped.form.expression(Symbol("x"), [float(f"{value:.4g}") for value in snapped.parameters])))
