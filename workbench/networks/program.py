"""A network compiled for arithmetic: one flat parameter vector, values, sensitivities and exact Jacobians.

A program holds the structure of a network (which edges are splines, which are forms, which slots multiply) and packs all constants into

    parameters = [layer 0: spline edges (n_edges, n_terms) | forms | biases][layer 1: ...] ...

The Jacobian of an output with respect to a spline coefficient is the term's value times the sensitivity of the output to the slot it
enters: exact, one pass forward and one pass back. `free` marks what a fit may change (not locked edges, not a form's fixed constants).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.networks.kan import KAN, Layer, SymbolicEdge
from workbench.ops import cpu


@dataclass(frozen=True)
class FormBlock:
    """One snapped edge of a layer: its form and where its constants lie in the parameter vector."""

    snapped: SymbolicEdge
    column: int
    row: int
    start: int

    @property
    def stop(self) -> int:
        return self.start + len(self.snapped.parameters)


@dataclass(frozen=True)
class LayerProgram:
    """The structure of one layer; edges are sorted by source."""

    edge_source: np.ndarray
    edge_target: np.ndarray
    n_terms: int
    start: int
    forms: tuple[FormBlock, ...]
    bias: int
    n_out: int
    factors: tuple[tuple[int, ...], ...]  # rows of the slots of each node
    domain: np.ndarray

    @property
    def spline_stop(self) -> int:
        return self.start + len(self.edge_source) * self.n_terms

    @property
    def stop(self) -> int:
        return self.bias + self.n_out

    @property
    def has_products(self) -> bool:
        return any(len(rows) > 1 for rows in self.factors)


def _compile_layer(layer: Layer, start: int) -> tuple[LayerProgram, np.ndarray, np.ndarray]:
    """Return the program of a layer, its constants and which of them are free."""
    row_of = {slot: row for row, slot in enumerate(layer.targets)}
    column_of = {source: column for column, source in enumerate(layer.sources)}
    named, locked = np.zeros((2, *layer.alive.shape), dtype=bool)
    for marks, keys in ((named, layer.symbolic), (locked, layer.locked)):
        for target, source in keys:
            marks[row_of[target], column_of[source]] = True
    columns, rows = map(np.ascontiguousarray, np.nonzero((layer.alive & ~named).T))  # by source, then target
    n_terms = layer.n_intervals + 4
    theta = np.column_stack([layer.coefficients[:, rows, columns].T, layer.base[rows, columns]])  # (n_edges, n_terms)
    values, free = [theta.ravel()], [np.repeat(~locked[rows, columns], n_terms)]
    cursor = start + theta.size
    blocks = []
    for column, row, key in sorted((column_of[key[1]], row_of[key[0]], key) for key in layer.symbolic):
        if not layer.alive[row, column]:
            continue
        snapped = layer.symbolic[key]
        blocks.append(FormBlock(snapped, column, row, cursor))
        cursor += len(snapped.parameters)
        values.append(np.asarray(snapped.parameters, dtype=float))
        free.append(np.asarray(snapped.free, dtype=bool) & (not locked[row, column]))
    values.append(layer.bias)
    free.append(layer.free_bias)
    program = LayerProgram(
        edge_source=columns,
        edge_target=rows,
        n_terms=n_terms,
        start=start,
        forms=tuple(blocks),
        bias=cursor,
        n_out=len(layer.bias),
        factors=tuple(tuple(row_of[slot] for slot in node.factors) for node in layer.nodes),
        domain=np.array(layer.domain),
    )
    return program, np.concatenate(values), np.concatenate(free)


class Program:
    """The compiled form of one network."""

    def __init__(self, network: KAN) -> None:
        self.network = network
        layers, values, free, start = [], [], [], 0
        for layer in network.layers:
            compiled, constants, mask = _compile_layer(layer, start)
            layers.append(compiled)
            values.append(constants)
            free.append(mask)
            start = compiled.stop
        self.layers: tuple[LayerProgram, ...] = tuple(layers)
        self.parameters: np.ndarray = np.concatenate(values)
        self.free: np.ndarray = np.concatenate(free)

    def unpack(self, parameters: np.ndarray) -> KAN:
        """Return the network with these constants."""
        network = self.network
        for level, program in enumerate(self.layers):
            layer = network.layers[level]
            coefficients, base = layer.coefficients.copy(), layer.base.copy()
            theta = parameters[program.start : program.spline_stop].reshape(-1, program.n_terms)
            coefficients[:, program.edge_target, program.edge_source] = theta[:, :-1].T
            base[program.edge_target, program.edge_source] = theta[:, -1]
            symbolic = dict(layer.symbolic)
            for block in program.forms:
                key = (layer.targets[block.row], layer.sources[block.column])
                constants = tuple(float(v) for v in parameters[block.start : block.stop])
                symbolic[key] = SymbolicEdge(block.snapped.form, constants, block.snapped.free)
            network = network.with_layer(
                level,
                coefficients=coefficients,
                base=base,
                bias=parameters[program.bias : program.stop].copy(),
                symbolic=symbolic,
                domain=program.domain,
            )
        return network

    def predict(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Evaluate on x (n_inputs, n_rows) -> (n_outputs, n_rows), keeping nothing."""
        for program in self.layers:
            slots = np.empty((program.n_out, x.shape[1]))
            slots[:] = parameters[program.bias : program.stop, None]
            theta = parameters[program.start : program.spline_stop].reshape(-1, program.n_terms)
            if len(theta):
                cpu.spline_value(x, program.domain, program.edge_source, program.edge_target, theta, slots)
            for block in program.forms:
                slots[block.row] += block.snapped.form.evaluate(x[block.column], parameters[block.start : block.stop])[0]
            x = _multiply(program, slots)
        return x


def _multiply(program: LayerProgram, slots: np.ndarray) -> np.ndarray:
    """Turn slots into nodes: the product of each node's factors."""
    if not program.has_products:
        return slots
    return np.stack([np.prod(slots[list(rows)], axis=0) for rows in program.factors])


class Evaluation:
    """A program on fixed rows: the buffers of one forward and backward pass.

    Parameters
    ----------
    program : Program
    x : (n_inputs, n_rows), C-contiguous
    """

    def __init__(self, program: Program, x: np.ndarray) -> None:
        self.program = program
        n_rows = x.shape[1]
        self.inputs = [x]
        self.slots, self.features, self.edge_slopes, self.form_slopes = [], [], [], []
        for layer in program.layers:
            n_in = len(layer.domain)
            self.slots.append(np.empty((layer.n_out, n_rows)))
            self.features.append(np.empty((n_in, layer.n_terms, n_rows)))
            self.edge_slopes.append(np.empty((len(layer.edge_source), n_rows)))
            self.form_slopes.append(np.empty((len(layer.forms), n_rows)))
            self.inputs.append(np.empty((len(layer.factors), n_rows)))

    def forward(self, parameters: np.ndarray) -> np.ndarray:
        """Evaluate (n_outputs, n_rows) and keep what the backward pass needs. The result is a buffer: copy it to keep it."""
        for level, layer in enumerate(self.program.layers):
            x, slots = self.inputs[level], self.slots[level]
            slots[:] = parameters[layer.bias : layer.stop, None]
            theta = parameters[layer.start : layer.spline_stop].reshape(-1, layer.n_terms)
            if len(theta):
                cpu.spline_layer(
                    x, layer.domain, layer.edge_source, layer.edge_target, theta, slots, self.features[level], self.edge_slopes[level]
                )
            for k, block in enumerate(layer.forms):
                value, slope = block.snapped.form.evaluate(x[block.column], parameters[block.start : block.stop])
                slots[block.row] += value
                self.form_slopes[level][k] = slope
            self.inputs[level + 1] = _multiply(layer, slots)
        return self.inputs[-1]

    def sensitivities(self, seed: np.ndarray) -> list[np.ndarray]:
        """Carry d objective / d outputs, `seed` (n_outputs, n_rows), back to the slots of every layer: list of (n_out, n_rows)."""
        result: list[np.ndarray] = [seed] * len(self.program.layers)
        at_nodes = seed
        for level in range(len(self.program.layers) - 1, -1, -1):
            layer = self.program.layers[level]
            at_slots = self._to_slots(level, at_nodes)
            result[level] = at_slots
            if level == 0:
                break
            upstream = np.zeros_like(self.inputs[level])
            if len(layer.edge_source):
                cpu.edges_backward(self.edge_slopes[level], layer.edge_source, layer.edge_target, at_slots, upstream)
            for k, block in enumerate(layer.forms):
                upstream[block.column] += self.form_slopes[level][k] * at_slots[block.row]
            at_nodes = upstream
        return result

    def _to_slots(self, level: int, at_nodes: np.ndarray) -> np.ndarray:
        layer = self.program.layers[level]
        if not layer.has_products:
            return np.ascontiguousarray(at_nodes)
        at_slots = np.empty_like(self.slots[level])
        for node, rows in enumerate(layer.factors):
            for row in rows:
                others = [other for other in rows if other != row]
                at_slots[row] = at_nodes[node] * np.prod(self.slots[level][others], axis=0)
        return at_slots

    def jacobian(self, parameters: np.ndarray, seed: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill out (n_parameters, n_rows) with d (sum_t seed_t output_t) / d parameter, row by row of data, after `forward`."""
        for level, (layer, s) in enumerate(zip(self.program.layers, self.sensitivities(seed), strict=True)):
            if len(layer.edge_source):
                cpu.spline_jacobian(self.features[level], layer.edge_source, layer.edge_target, s, out[layer.start : layer.spline_stop])
            for block in layer.forms:
                out[block.start : block.stop] = self._form_jacobian(level, block, parameters) * s[block.row]
            out[layer.bias : layer.stop] = s
        return out

    def scaled_jacobian(self, parameters: np.ndarray, seed: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill out with the Jacobian, each row divided by a unit of its own, and return the units (n_parameters,).

        The unit of a row is about its largest number (for a basis or bias: that of the sensitivity of its slot), so that the rows fit into
        single precision whatever is measured in what, and are rounded alike.
        """
        units = np.ones(len(parameters))
        for level, (layer, s) in enumerate(zip(self.program.layers, self.sensitivities(seed), strict=True)):
            of_slots = _largest(s)
            s = s / of_slots[:, None]
            if len(layer.edge_source):
                cpu.spline_jacobian(self.features[level], layer.edge_source, layer.edge_target, s, out[layer.start : layer.spline_stop])
                units[layer.start : layer.spline_stop] = np.repeat(of_slots[layer.edge_target], layer.n_terms)
                self._scale_base_terms(level, s, out, units)
            for block in layer.forms:
                rows = self._form_jacobian(level, block, parameters) * s[block.row]
                of_rows = _largest(rows)
                out[block.start : block.stop] = rows / of_rows[:, None]
                units[block.start : block.stop] = of_rows * of_slots[block.row]
            out[layer.bias : layer.stop] = s
            units[layer.bias : layer.stop] = of_slots
        return units

    def _scale_base_terms(self, level: int, s: np.ndarray, out: np.ndarray, units: np.ndarray) -> None:
        """Give the rows of base terms that exceed 1, as they do for an input far outside its range, a unit of their own."""
        layer, base = self.program.layers[level], self.features[level][:, -1]
        largest = _largest(base)
        for edge in np.flatnonzero(largest[layer.edge_source] > 1.0):
            source, row = layer.edge_source[edge], layer.start + (edge + 1) * layer.n_terms - 1
            out[row] = base[source] / largest[source] * s[layer.edge_target[edge]]
            units[row] *= largest[source]

    def _form_jacobian(self, level: int, block: FormBlock, parameters: np.ndarray) -> np.ndarray:
        """Return d form / d constants (n_constants, n_rows) of a snapped edge."""
        return block.snapped.form.jacobian(self.inputs[level][block.column], parameters[block.start : block.stop])

    def gradient(self, parameters: np.ndarray, seed: np.ndarray) -> np.ndarray:
        """Return (n_parameters,): d (sum over rows and outputs of seed output) / d parameters, after `forward`."""
        gradient = np.empty(len(parameters))
        for level, (layer, s) in enumerate(zip(self.program.layers, self.sensitivities(seed), strict=True)):
            if len(layer.edge_source):
                part = gradient[layer.start : layer.spline_stop]
                cpu.spline_gradient(self.features[level], layer.edge_source, layer.edge_target, s, part)
            for block in layer.forms:
                gradient[block.start : block.stop] = self._form_jacobian(level, block, parameters) @ s[block.row]
            gradient[layer.bias : layer.stop] = s.sum(1)
        return gradient


def _largest(rows: np.ndarray) -> np.ndarray:
    """Return the largest absolute number of every row, (n,); 1 for rows of zeros."""
    largest = np.abs(rows).max(1)
    return np.where(largest > 0, largest, 1.0)
