"""Reading the formula of a state, with its certificate; for groups, one law and a set of constants for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from workbench.expression import upright
from workbench.formula import Certificate, Formula, Input, Part, Prediction, Quantity, assemble, certify, joined, parts, variables
from workbench.formula.certificate import combined
from workbench.networks import KAN

if TYPE_CHECKING:
    from workbench.dataset import Dataset
    from workbench.discovery.state import State
    from workbench.table import Source, Table

PARTS = ("train", "validation", "test")
_PLAIN: WeakKeyDictionary[State, tuple[Dataset, Formula]] = WeakKeyDictionary()  # what was read of states, as long as these are there


def read_formula(data: Dataset, state: State, decimals: int | None, nice: bool) -> Formula:
    """Return the formula of a state; rounded and plain constants are certified against the same networks."""
    formula = assembled(data, state.networks)
    if nice and data.task == "regression" and not formula.definitions:
        formula = _plain_once(formula, data, state)
    if decimals is not None:
        formula = formula.rounded(decimals)
    return replace(formula, certificate=certified(formula, data, state.networks))


def assembled(data: Dataset, networks: tuple[KAN, ...]) -> Formula:
    """Return the exact formula of networks, without a certificate; with groups, `outputs` are those of the first."""
    inputs, targets = _names(data, networks)
    formulas = [assemble(network, inputs, targets) for network in networks]
    if data.groups is None:
        return formulas[0]
    return joined(dict(zip(data.group_labels, formulas, strict=True)))


def assembled_parts(data: Dataset, networks: Sequence[KAN]) -> tuple[tuple[Part, ...], ...]:
    """Return for every network which parts of its formula, as `assembled` gives it, came from which edges."""
    return tuple(parts(network, *_names(data, networks)) for network in networks)


def _names(data: Dataset, networks: Sequence[KAN]) -> tuple[tuple[Input, ...], tuple[Quantity, ...]]:
    inputs, targets = variables(data)
    return inputs, targets if data.task == "regression" else _logits(data, networks[0].n_outputs)


def _logits(data: Dataset, n_outputs: int) -> tuple[Quantity, ...]:
    """Name the outputs of a classifier: one logit for two classes, else one per class."""
    target = data.targets[0]
    labels = data.classes[1:] if n_outputs == 1 else data.classes
    return tuple(Quantity(f"logit of {target.name} = {label}", f"logit_{k}", None) for k, label in enumerate(labels))


def predicted(formula: Formula, data: Dataset, table: Table | Source) -> Prediction:
    """Predict every row of a new table, read as the dataset's own was: dates, categories and groups mean what they meant in the fit.

    A row with a missing input or an unknown category gets NaN, and the message says so.
    """
    encoded = data.encode(table)
    groups = None if encoded.groups is None else [data.group_labels[max(code, 0)] for code in encoded.groups]
    known = formula.prediction(encoded.X, groups)
    shape = (-1, *(1 for _ in known.values.shape[1:]))
    values = np.where(encoded.complete.reshape(shape), known.values, np.nan)
    message = " ".join([known.message, *(note.text for note in encoded.notes)]).strip()
    return replace(known, values=values, message=message)


def _plain_once(formula: Formula, data: Dataset, state: State) -> Formula:
    """Return the formula of a state with plain constants, the same one whenever it is asked for: of constants that trade against each other the last digit
    decides which become plain, and that depends on how many threads reckon.
    """
    known = _PLAIN.get(state)
    if known is None or known[0] is not data:
        known = _PLAIN[state] = data, plain(formula, data)
    return known[1]


def plain(formula: Formula, data: Dataset) -> Formula:
    """Return the formula with plain constants where the data cannot tell; per group, where there are groups."""
    rows = data.split.train
    if data.groups is None:
        return _upright(formula.nice(data.X[rows], data.y[rows], _weights(data, rows)).formula)
    groups = {}
    for number, (label, outputs) in enumerate(formula.groups.items()):
        own = rows[data.groups[rows] == number]
        single = replace(formula, outputs=outputs, groups={})
        groups[label] = _upright(single.nice(data.X[own], data.y[own], _weights(data, own)).formula).outputs
    return replace(formula, outputs=next(iter(groups.values())), groups=groups)


def _upright(formula: Formula) -> Formula:
    return replace(formula, outputs=tuple(replace(output, expression=upright(output.expression)) for output in formula.outputs))


def _weights(data: Dataset, rows: np.ndarray) -> np.ndarray | None:
    weights = data.seen_weights
    return None if weights is None else weights[rows]


def certified(formula: Formula, data: Dataset, networks: tuple[KAN, ...]) -> Certificate:
    """Compare the formula with the networks on every part of the data and on fresh points."""
    if data.groups is None:
        return certify(networks[0], formula, _samples(data, None))
    each = []
    for number, outputs in enumerate(formula.groups.values()):
        single = replace(formula, outputs=outputs, groups={})
        each.append(certify(networks[number], single, _samples(data, number)))
    return combined(each)


def _samples(data: Dataset, group: int | None) -> Mapping[str, np.ndarray]:
    parts = {}
    for name in PARTS:
        rows = getattr(data.split, name)
        parts[name] = data.X[rows if group is None else rows[data.groups[rows] == group]]
    return parts

