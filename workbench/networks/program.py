"""A network compiled for arithmetic: one flat parameter vector, values, sensitivities and exact Jacobians.

A program holds the structure of a network (which edges are learned, which are forms, which slots multiply) and packs all constants into

    parameters = [layer 0: learned edges (n_edges, n_terms) | forms | biases][layer 1: ...] ...

The Jacobian of an output with respect to a constant of an edge is the edge's own derivative by it times the sensitivity of the output to the
slot the edge enters: exact, one pass forward and one pass back. The bases know their own derivatives, forms know theirs. `free` marks what a
fit may change (not locked edges, not a form's fixed constants).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.bases.basis import Basis, Places
from workbench.networks.kan import KAN, Layer, SymbolicEdge


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
    """The structure of one layer; its learned edges, all of one basis, are sorted by source."""

    basis: Basis
    places: Places
    start: int
    forms: tuple[FormBlock, ...]
    bias: int
    n_out: int
    factors: tuple[tuple[int, ...], ...]  # rows of the slots of each node

    @property
    def edge_source(self) -> np.ndarray:
        return self.places.source

    @property
    def edge_target(self) -> np.ndarray:
        return self.places.target

    @property
    def domain(self) -> np.ndarray:
        return self.places.domain

    @property
    def n_terms(self) -> int:
        """Constants of a learned edge."""
        return self.basis.n_terms

    @property
    def learned_stop(self) -> int:
        """Where the constants of the learned edges end."""
        return self.start + len(self.edge_source) * self.n_terms

    @property
    def learned(self) -> slice:
        """Where the constants of the learned edges lie."""
        return slice(self.start, self.learned_stop)

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
    theta = layer.theta(rows, columns)  # (n_edges, n_terms)
    values, free = [theta.ravel()], [np.repeat(~locked[rows, columns], layer.basis.n_terms)]
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
        basis=layer.basis,
        places=Places(np.array(layer.domain), columns, rows),
        start=start,
        forms=tuple(blocks),
        bias=cursor,
        n_out=len(layer.bias),
        factors=tuple(tuple(row_of[slot] for slot in node.factors) for node in layer.nodes),
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
            theta = parameters[program.learned].reshape(-1, program.n_terms)
            coefficients, base = layer.with_theta(program.edge_target, program.edge_source, theta)
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
            theta = parameters[program.learned].reshape(-1, program.n_terms)
            if len(theta):
                program.basis.add_values(x, program.places, theta, slots)
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
        self.slots, self.edges, self.form_slopes = [], [], []
        for layer in program.layers:
            self.slots.append(np.empty((layer.n_out, n_rows)))
            self.edges.append(layer.basis.edges(layer.places, n_rows))
            self.form_slopes.append(np.empty((len(layer.forms), n_rows)))
            self.inputs.append(np.empty((len(layer.factors), n_rows)))

    def forward(self, parameters: np.ndarray) -> np.ndarray:
        """Evaluate (n_outputs, n_rows) and keep what the backward pass needs. The result is a buffer: copy it to keep it."""
        for level, layer in enumerate(self.program.layers):
            x, slots = self.inputs[level], self.slots[level]
            slots[:] = parameters[layer.bias : layer.stop, None]
            theta = self._theta(layer, parameters)
            if len(theta):
                self.edges[level].forward(x, theta, slots)
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
                self.edges[level].backward(at_slots, upstream)
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
                self.edges[level].jacobian(self._theta(layer, parameters), s, out[layer.learned])
            for block in layer.forms:
                out[block.start : block.stop] = self._form_jacobian(level, block, parameters) * s[block.row]
            out[layer.bias : layer.stop] = s
        return out

    def scaled_jacobian(self, parameters: np.ndarray, seed: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill out with the Jacobian, each row divided by a unit of its own, and return the units (n_parameters,).

        The unit of a row is about its largest number (for a bias: that of the sensitivity of its slot), so that the rows fit into single
        precision whatever is measured in what, and are rounded alike.
        """
        units = np.ones(len(parameters))
        for level, (layer, s) in enumerate(zip(self.program.layers, self.sensitivities(seed), strict=True)):
            of_slots = _largest(s)
            s = s / of_slots[:, None]
            if len(layer.edge_source):
                own = self.edges[level].scaled_jacobian(self._theta(layer, parameters), s, out[layer.learned])
                units[layer.learned] = np.repeat(of_slots[layer.edge_target], layer.n_terms) * own
            for block in layer.forms:
                rows = self._form_jacobian(level, block, parameters) * s[block.row]
                of_rows = _largest(rows)
                out[block.start : block.stop] = rows / of_rows[:, None]
                units[block.start : block.stop] = of_rows * of_slots[block.row]
            out[layer.bias : layer.stop] = s
            units[layer.bias : layer.stop] = of_slots
        return units

    def _theta(self, layer: LayerProgram, parameters: np.ndarray) -> np.ndarray:
        """Return the constants of the learned edges, (n_edges, n_terms)."""
        return parameters[layer.learned].reshape(-1, layer.n_terms)

    def _form_jacobian(self, level: int, block: FormBlock, parameters: np.ndarray) -> np.ndarray:
        """Return d form / d constants (n_constants, n_rows) of a snapped edge."""
        return block.snapped.form.jacobian(self.inputs[level][block.column], parameters[block.start : block.stop])

    def gradient(self, parameters: np.ndarray, seed: np.ndarray) -> np.ndarray:
        """Return (n_parameters,): d (sum over rows and outputs of seed output) / d parameters, after `forward`."""
        gradient = np.empty(len(parameters))
        for level, (layer, s) in enumerate(zip(self.program.layers, self.sensitivities(seed), strict=True)):
            if len(layer.edge_source):
                self.edges[level].gradient(self._theta(layer, parameters), s, gradient[layer.learned])
            for block in layer.forms:
                gradient[block.start : block.stop] = self._form_jacobian(level, block, parameters) @ s[block.row]
            gradient[layer.bias : layer.stop] = s.sum(1)
        return gradient


def _largest(rows: np.ndarray) -> np.ndarray:
    """Return the largest absolute number of every row, (n,); 1 for rows of zeros."""
    largest = np.abs(rows).max(1)
    return np.where(largest > 0, largest, 1.0)
