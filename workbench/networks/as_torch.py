"""A KAN as a plain torch module: the same function, trained and differentiated by autograd.

    module = as_torch(network)                    # X (n_rows, n_inputs) -> (n_rows, n_outputs), float64
    module = as_torch(network, torch.float32)
    module = as_torch(network, torch.float32, engine="cuda").to("cuda")

Spline and rational edges run on the ops of `ops.autograd`, on whichever engine is asked for, snapped edges on torch functions of their expression.
Coefficients, base weights, biases and the constants of forms are parameters; what a fit may not change (locked edges, fixed constants, fixed biases) gets no gradient, pruned edges
give nothing. The module is a copy: training it leaves the network as it is, and `as_network(module, network)` brings its constants back.

torch is imported when `as_torch` is called and not before: the way of a KAN through the workbench does without it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.bases.basis import Basis
from workbench.bases.bspline import Spline
from workbench.bases.rational import Rational
from workbench.exceptions import NetworkError
from workbench.expression import Call, Constant, Expression, Number, Symbol, parse
from workbench.networks.kan import KAN, Layer, SymbolicEdge
from workbench.primitives import Form, PrimitiveForm

if TYPE_CHECKING:
    import torch

def as_torch(network: KAN, dtype: torch.dtype | None = None, engine: str = "auto") -> torch.nn.Module:
    """Return a torch module that computes what the network does.

    Parameters
    ----------
    network : KAN
    dtype : torch.float64 (when left out) or torch.float32
    engine : of `ops.engines`, for the edges; "auto" suits the device that the module is moved to

    Examples
    --------
    >>> import numpy as np
    >>> from workbench.networks.kan import initial, nodes_of
    >>> network = initial([nodes_of(3), nodes_of(1)], np.array([[-1.0, 1.0], [0.0, 5.0]]), np.random.default_rng(0))
    >>> X = np.array([[0.3, 2.0], [-0.7, 4.0]])
    >>> import torch
    >>> np.allclose(as_torch(network)(torch.from_numpy(X)).detach().numpy(), network(X))
    True
    """
    import torch

    dtype = torch.float64 if dtype is None else dtype
    if dtype not in (torch.float32, torch.float64):
        raise NetworkError(f"as_torch(dtype={dtype}): a KAN runs in torch.float64 or torch.float32.")
    return _network_class()(network, dtype, engine)


def as_network(module: torch.nn.Module, network: KAN) -> KAN:
    """Return the network with the constants of its torch module, for everything that comes after training."""
    for level, (layer, made) in enumerate(zip(network.layers, module.layers, strict=True)):
        values = {name: getattr(made, name).detach().double().numpy() for name in _arrays(layer)}
        symbolic = {
            key: SymbolicEdge(edge.form, tuple(constants.detach().double().tolist()), edge.free)
            for (key, edge), constants in zip(_snapped(layer), made.constants, strict=True)
        }
        network = network.with_layer(level, **values, symbolic={**layer.symbolic, **symbolic})
    return network


def _arrays(layer: Layer) -> tuple[str, ...]:
    """Return the names of the arrays of a layer that are parameters; only splines have a base term."""
    return ("coefficients", "base", "bias") if isinstance(layer.basis, Spline) else ("coefficients", "bias")


def _snapped(layer: Layer) -> list[tuple[tuple[int, int], SymbolicEdge]]:
    """Return the named edges of a layer that are not pruned, in a fixed order."""
    place = {target: row for row, target in enumerate(layer.targets)}, {source: column for column, source in enumerate(layer.sources)}
    return [(key, edge) for key, edge in sorted(layer.symbolic.items()) if layer.alive[place[0][key[0]], place[1][key[1]]]]


def _evaluated(x: torch.Tensor, arrays: list[torch.Tensor], domain: torch.Tensor, basis: Basis, engine: str) -> torch.Tensor:
    """Evaluate a dense layer of learned functions, arrays (..., n_out, n_in), on x (n_in, n_rows)."""
    from workbench.ops.autograd import edge_rational, edge_spline

    if not isinstance(basis, Rational):
        return edge_spline(x, *arrays, domain, engine=engine)
    (coefficients,), low, high = arrays, domain[:, :1], domain[:, 1:]
    u = (x - low) * (2.0 / (high - low)) - 1.0  # where its polynomials live
    return edge_rational(u, coefficients[: basis.n_above], coefficients[basis.n_above :], form=basis.form, engine=engine)


def theta(layer: torch.nn.Module) -> torch.Tensor:
    """Return the constants of every edge of a layer of a module, in the order of their basis, (n_out, n_in, n_terms)."""
    import torch

    arrays = [layer.coefficients] if isinstance(layer.basis, Rational) else [layer.coefficients, layer.base[None]]
    return torch.cat(arrays).permute(1, 2, 0)  # (n_terms, n_out, n_in) -> (n_out, n_in, n_terms)


@functools.cache
def _network_class() -> type:
    import torch

    class TorchKAN(torch.nn.Module):
        """The layers of a KAN, one after the other."""

        def __init__(self, network: KAN, dtype: torch.dtype, engine: str) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList(_layer_class()(layer, dtype, engine) for layer in network.layers)

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            h = X.T.contiguous()  # (n_rows, n_inputs) -> (n_inputs, n_rows)
            for layer in self.layers:
                h = layer(h)
            return h.T

    return TorchKAN


@functools.cache
def _layer_class() -> type:
    import torch

    class TorchLayer(torch.nn.Module):
        """One layer: x (n_in, n_rows) -> nodes (n_nodes, n_rows)."""

        def __init__(self, layer: Layer, dtype: torch.dtype, engine: str) -> None:
            super().__init__()
            self.engine = engine
            self.factors = [[layer.targets.index(slot) for slot in node.factors] for node in layer.nodes]
            self.basis = layer.basis
            for name in _arrays(layer):
                self.register_parameter(name, torch.nn.Parameter(torch.tensor(np.array(getattr(layer, name)), dtype=dtype)))
            self.register_buffer("domain", torch.tensor(np.array(layer.domain), dtype=dtype), persistent=False)
            masks = _masks(layer)
            self.has_learned = bool(masks["learned"].any())
            for name, values in masks.items():  # None where it holds everywhere: nobody then waits for a GPU to say so
                self.register_buffer(name, None if values.all() else torch.tensor(values), persistent=False)
            edges = _snapped(layer)
            self.forms = [_placed(layer, key, edge) for key, edge in edges]
            self.constants = torch.nn.ParameterList(torch.tensor(edge.parameters, dtype=dtype) for _, edge in edges)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            slots = _partly(self.bias, self.free_bias)[:, None].expand(-1, x.shape[1])
            if self.has_learned:
                slots = slots + self._learned(x)
            rows = list(slots)
            for (row, column, free, function), constants in zip(self.forms, self.constants, strict=True):
                rows[row] = rows[row] + function(x[column], _partly(constants, free))
            return torch.stack([reduce(torch.mul, [rows[row] for row in factors]) for factors in self.factors])

        def _learned(self, x: torch.Tensor) -> torch.Tensor:
            """Return what the learned edges give to the slots; the others are there with zeros, which give nothing."""
            arrays = [getattr(self, name) for name in ("coefficients", "base") if hasattr(self, name)]
            own = [_partly(array if self.learned is None else torch.where(self.learned, array, 0.0), self.free_learned) for array in arrays]
            return _evaluated(x, own, self.domain, self.basis, self.engine)

    return TorchLayer


def _masks(layer: Layer) -> dict[str, np.ndarray]:
    """Return which edges are learned, which of those may be fitted, and which biases."""
    shape = layer.alive.shape
    states = np.array([[layer.state(row, column) for column in range(shape[1])] for row in range(shape[0])])
    named = np.array([[(target, source) in layer.symbolic for source in layer.sources] for target in layer.targets])
    learned = layer.alive & ~named
    return {"learned": learned, "free_learned": learned & (states != "locked"), "free_bias": layer.free_bias}


def _placed(layer: Layer, key: tuple[int, int], edge: SymbolicEdge) -> tuple[int, int, torch.Tensor | None, Callable]:
    """Return row, column, which constants may be fitted (None: all), and the torch function of a named edge."""
    import torch

    flags = [flag and key not in layer.locked for flag in edge.free]
    free = None if all(flags) else torch.tensor(flags)
    return layer.targets.index(key[0]), layer.sources.index(key[1]), free, torch_form(edge.form)


def _partly(values: torch.Tensor, free: torch.Tensor | None) -> torch.Tensor:
    """Return the values, with a gradient for the free ones only (None: for all)."""
    import torch

    return values if free is None else torch.where(free.to(values.device), values, values.detach())


# -------------------------------------------------------------------------------------------------------- expressions


def torch_form(form: Form) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return phi(x, constants) of a form: c f(a x + b; shape) of the library, or what a person typed."""
    if isinstance(form, PrimitiveForm):
        tree, names = form.primitive.expression, [shape.name for shape in form.primitive.shape]

        def library(x: torch.Tensor, constants: torch.Tensor) -> torch.Tensor:
            c, a, b, *shape = constants
            return c * _with_limits(tree, a * x + b, dict(zip(names, shape, strict=True)), "z")

        return library
    tree, names = parse(form.name), form.parameter_names

    def typed(x: torch.Tensor, constants: torch.Tensor) -> torch.Tensor:
        return _with_limits(tree, x, dict(zip(names, constants, strict=True)), "x")

    return typed


def _with_limits(tree: Expression, z: torch.Tensor, values: Mapping[str, Any], name: str) -> torch.Tensor:
    """Evaluate at z; where that is 0/0, take the mean of both sides, as `expression.evaluate` does: sin(z)/z is 1 at 0."""
    import torch

    result = evaluate(tree, {**values, name: z}).expand_as(z)
    holes = torch.isnan(result) & torch.isfinite(z)
    if not holes.any():
        return result
    step = math.sqrt(torch.finfo(z.dtype).eps) * torch.clamp(z.detach().abs(), min=1.0)
    sides = [evaluate(tree, {**values, name: torch.where(holes, z + sign * step, z)}).expand_as(z) for sign in (1.0, -1.0)]
    same = (sides[0] - sides[1]).abs() <= 50 * math.sqrt(torch.finfo(z.dtype).eps) * (1 + sides[0].abs())
    return torch.where(~holes | same, 0.5 * (sides[0] + sides[1]), torch.nan)


def evaluate(tree: Expression, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Evaluate an expression on torch tensors: the operators and functions of our language, nothing else."""
    import torch

    match tree:
        case Number(value=number):
            return torch.tensor(float(number), dtype=_dtype(values))
        case Constant():
            return torch.tensor(tree.value, dtype=_dtype(values))
        case Symbol(name=name):
            return values[name]
        case Call(function="add", arguments=terms):
            return reduce(torch.add, [evaluate(term, values) for term in terms])
        case Call(function="mul", arguments=factors):
            return reduce(torch.mul, [evaluate(factor, values) for factor in factors])
        case Call(function="pow", arguments=(base, exponent)):
            if isinstance(exponent, Number):  # an exact number keeps x**2 from a logarithm of x
                return torch.pow(evaluate(base, values), float(exponent.value))
            return torch.pow(evaluate(base, values), evaluate(exponent, values))
        case Call(function=name, arguments=(argument,)) if name in _functions():
            return _functions()[name](evaluate(argument, values))
    raise NetworkError(f"as_torch: {tree} has no translation to torch. Known functions: {', '.join(_functions())}.")


def _dtype(values: Mapping[str, Any]) -> torch.dtype:
    return next(value.dtype for value in values.values() if hasattr(value, "dtype"))


@functools.cache
def _functions() -> dict[str, Callable]:
    """Return every function of our expressions in torch."""
    import torch

    plain = "exp log sqrt abs sign sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf expm1 log1p"
    return {name: getattr(torch, name) for name in plain.split()} | {"cbrt": lambda u: torch.sign(u) * torch.pow(torch.abs(u), 1 / 3)}
