"""The ops as torch functions: differentiable as often as one likes, on every engine, and under torch.compile.

    y = group_rational(x, numerator, denominator, form="square")         # KAT: one function per group of channels
    y = edge_rational(x, numerator, denominator, form="square")          # KAN: one function on every edge of a layer
    y = edge_spline(x, coefficients, base, domain)                       # KAN: one cubic spline on every edge of a layer

`ops.reference` says what they compute and `ops.engines` who computes it. First derivatives come from the engine; where they are to be
differentiated again (create_graph=True) they come from the reference. Under torch.compile an op is one opaque operator of the graph (the
reference: plain operations); outside, it is an autograd.Function, which costs a third of that.

Coefficients are computed with in float64 for float64 and in float32 for all other x, whatever they are stored as.
"""

from __future__ import annotations

import torch

from workbench.exceptions import NetworkError
from workbench.ops.device import COMPUTE, Gradients
from workbench.ops.engines import ENGINES, Op, Tensors, check_engine, choose
from workbench.ops.rational import check_edges, check_form, check_group
from workbench.ops.spline import check_layer


def group_rational(x: torch.Tensor, numerator: torch.Tensor, denominator: torch.Tensor, *, form: str, engine: str = "auto") -> torch.Tensor:
    """Evaluate one rational function per group of neighbouring channels.

    Parameters
    ----------
    x : (..., n_channels)             float64, float32, bfloat16 or float16, with any strides
    numerator : (n_groups, m + 1)     or (1, m + 1) for one that all groups share; degrees are at most 8
    denominator : (n_groups, n)       n_groups divides n_channels
    form : "sum_abs", "abs_sum" or "square"
    engine : "auto", "cpu", "cuda" or "reference"

    Returns
    -------
    (..., n_channels)

    >>> x = torch.tensor([[-2.0, 1.0]])
    >>> group_rational(x, torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5], [2.0]]), form="sum_abs")
    tensor([[-1.0000,  0.3333]])
    """
    check_form(form)
    if numerator.dim() == denominator.dim() == 2 and numerator.shape[0] == 1:
        numerator = numerator.expand(denominator.shape[0], -1)
    check_group(x.shape, numerator.shape, denominator.shape)
    if denominator.shape[1] == 0:
        denominator = denominator.new_zeros(denominator.shape[0], 1)
    return _apply("group", (x, numerator, denominator), form, engine)


def edge_rational(x: torch.Tensor, numerator: torch.Tensor, denominator: torch.Tensor, *, form: str, engine: str = "auto") -> torch.Tensor:
    """Evaluate a layer with one rational function on every edge: y_o = sum over i of F_oi(x_i).

    Parameters
    ----------
    x : (n_in, n_rows)
    numerator : (m + 1, n_out, n_in)
    denominator : (n, n_out, n_in)
    form, engine : as for `group_rational`

    Returns
    -------
    (n_out, n_rows)

    >>> edge_rational(torch.tensor([[-2.0, 1.0]]), torch.tensor([[[0.0]], [[1.0]]]), torch.tensor([[[0.5]]]), form="square")
    tensor([[-1.0000,  0.8000]])
    """
    check_form(form)
    check_edges(x.shape, numerator.shape, denominator.shape)
    if len(denominator) == 0:
        denominator = denominator.new_zeros(1, *denominator.shape[1:])
    return _apply("edge", (x, numerator, denominator), form, engine)


def edge_spline(x: torch.Tensor, coefficients: torch.Tensor, base: torch.Tensor, domain: torch.Tensor, *, engine: str = "auto") -> torch.Tensor:
    """Evaluate a layer with one cubic spline on every edge, and its base term: y_o = sum over i of phi_oi(x_i).

    Parameters
    ----------
    x : (n_in, n_rows)
    coefficients : (n_bases, n_out, n_in)
    base : (n_out, n_in)
    domain : (n_in, 2)     the range of each input's knots, a constant: it is not differentiated
    engine : as for `group_rational`

    Returns
    -------
    (n_out, n_rows)

    >>> x = torch.tensor([[-1.0, 0.0, 1.0]])
    >>> edge_spline(x, torch.ones(8, 1, 1), torch.zeros(1, 1), torch.tensor([[-1.0, 1.0]])).round(decimals=6)      # bases sum to one
    tensor([[1., 1., 1.]])
    """
    check_layer(x.shape, coefficients.shape, base.shape, domain.shape)
    return _apply("spline", (x, coefficients, base, domain.detach()), "", engine)


def _apply(op: Op, tensors: Tensors, form: str, engine: str) -> torch.Tensor:
    x, device = tensors[0], tensors[0].device
    kind = COMPUTE.get(x.dtype)
    if kind is None:
        raise NetworkError(f"{_WHAT[op]} takes float64, float32, bfloat16 or float16 numbers; x is {x.dtype}.")
    given = [x.contiguous()]
    for tensor in tensors[1:]:
        if tensor.device != device:
            raise NetworkError(f"{_places(op, tensors)}: move all to one device.")
        given.append((tensor if tensor.dtype is kind else tensor.to(kind)).contiguous())
    check_engine(engine, device)
    name = choose(device.type, device.index or 0) if engine == "auto" else engine
    if not torch.compiler.is_compiling():
        return _Function.apply(*given, (op, form, name))
    if name == "reference":  # plain torch, which a compiler does better with than with an operator it cannot look into
        return ENGINES[name].forward(op, given, form)
    return _operator(given, op, form, name)


_WHAT = {"group": "A rational function", "edge": "A rational function", "spline": "A spline layer"}


def _places(op: Op, tensors: Tensors) -> str:
    names = ("the coefficients", "the base weights", "the domain") if op == "spline" else ("the numerator", "the denominator")
    return ", ".join([f"x is on {tensors[0].device}", *(f"{name} on {tensor.device}" for name, tensor in zip(names, tensors[1:], strict=True))])


class _Function(torch.autograd.Function):
    """Any op: its tensors, then what it is, the form, the engine."""

    @staticmethod
    def forward(ctx, *given):
        *tensors, (op, form, engine) = given
        ctx.call = op, form, engine
        ctx.save_for_backward(*tensors)
        return ENGINES[engine].forward(op, tensors, form)

    @staticmethod
    def backward(ctx, upstream):
        op, form, engine = ctx.call
        constants = (None,) * (len(ctx.needs_input_grad) - 3)
        if torch.is_grad_enabled():  # create_graph=True: what is returned is differentiated in its turn
            return *_differentiable_gradients(op, ctx.saved_tensors, form, upstream, ctx.needs_input_grad[:3]), *constants
        return *_gradients(op, ctx.saved_tensors, form, engine, upstream), *constants


def _gradients(op: Op, tensors: Tensors, form: str, engine: str, upstream: torch.Tensor) -> Gradients:
    kind = tensors[0].dtype
    return ENGINES[engine].backward(op, tensors, form, (upstream if upstream.dtype is kind else upstream.to(kind)).contiguous())


def _differentiable_gradients(op: Op, tensors: Tensors, form: str, upstream: torch.Tensor, wanted: tuple[bool, ...]) -> list[torch.Tensor | None]:
    # Nodes of their own: where one input is computed from another, the way between them is for whoever asked, not for here.
    tensors = tuple(tensor.view_as(tensor) for tensor in tensors)
    y = ENGINES["reference"].forward(op, tensors, form)
    found = torch.autograd.grad(y, [tensor for tensor, want in zip(tensors, wanted) if want], upstream, create_graph=True)
    gradients = iter(found)
    return [next(gradients) if want else None for want in wanted]


# ------------------------------------------------------------------------------------------------------- torch.compile


@torch.library.custom_op("kan_workbench::op", mutates_args=(), schema="(Tensor[] tensors, str op, str form, str engine) -> Tensor")
def _operator(tensors, op, form, engine):
    return ENGINES[engine].forward(op, tensors, form)


@torch.library.custom_op(
    "kan_workbench::op_backward",
    mutates_args=(),
    schema="(Tensor upstream, Tensor[] tensors, str op, str form, str engine) -> (Tensor, Tensor, Tensor)",
)
def _operator_backward(upstream, tensors, op, form, engine):
    # what a graph was promised: new tensors, contiguous, none a part of another
    gradients = _gradients(op, tensors, form, engine, upstream)
    return tuple(gradient.clone(memory_format=torch.contiguous_format) if gradient._is_view() else gradient for gradient in gradients)


@_operator.register_fake
def _shape(tensors, op, form, engine):
    x, coefficients, *_ = tensors
    return torch.empty_like(x) if op == "group" else x.new_empty(coefficients.shape[1], x.shape[1])


@_operator_backward.register_fake
def _shapes(upstream, tensors, op, form, engine):
    return tuple(torch.empty_like(tensor) for tensor in tensors[:3])


def _keep(ctx, inputs, output):
    tensors, *ctx.call = inputs
    ctx.save_for_backward(*tensors)


def _pull_back(ctx, upstream):
    tensors = list(ctx.saved_tensors)
    gradients = _operator_backward(upstream, tensors, *ctx.call)
    return [*gradients, *(None,) * (len(tensors) - 3)], None, None, None


_operator.register_autograd(_pull_back, setup_context=_keep)
