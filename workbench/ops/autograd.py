"""The ops as torch functions: differentiable as often as one likes, on every engine, and under torch.compile.

    y = group_rational(x, numerator, denominator, form="square")         # KAT: one function per group of channels
    y = edge_rational(x, numerator, denominator, form="square")          # KAN: one function on every edge of a layer

`ops.reference` says what they compute and `ops.engines` who computes it. First derivatives come from the engine; where they are to be
differentiated again (create_graph=True) they come from the reference. Under torch.compile an op is one opaque operator of the graph (the
reference: plain operations); outside, it is an autograd.Function, which costs a third of that.

Coefficients are computed with in float64 for float64 and in float32 for all other x, whatever they are stored as.
"""

from __future__ import annotations

import torch

from workbench.exceptions import NetworkError
from workbench.ops.engines import ENGINES, Op, check_engine, choose
from workbench.ops.launch import COMPUTE, Gradients
from workbench.ops.rational import check_edges, check_form, check_group


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
    return _apply("group", x, numerator, denominator, form, engine)


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
    return _apply("edge", x, numerator, denominator, form, engine)


def _apply(op: Op, x: torch.Tensor, numerator: torch.Tensor, denominator: torch.Tensor, form: str, engine: str) -> torch.Tensor:
    kind, device = COMPUTE.get(x.dtype), x.device
    if kind is None:
        raise NetworkError(f"A rational function takes float64, float32, bfloat16 or float16 numbers; x is {x.dtype}.")
    if not (device == numerator.device == denominator.device):
        raise NetworkError(f"x is on {device}, the numerator on {numerator.device}, the denominator on {denominator.device}: move all to one device.")
    check_engine(engine, device)
    name = choose(device.type, device.index or 0) if engine == "auto" else engine
    x, numerator, denominator = x.contiguous(), _of_type(kind, numerator), _of_type(kind, denominator)
    if not torch.compiler.is_compiling():
        return _Rational.apply(x, numerator, denominator, (op, form, name))
    if name == "reference":  # plain torch, which a compiler does better with than with an operator it cannot look into
        return ENGINES[name].forward(op, x, numerator, denominator, form)
    return _operator(x, numerator, denominator, op, form, name)


def _of_type(dtype: torch.dtype, tensor: torch.Tensor) -> torch.Tensor:
    return (tensor if tensor.dtype is dtype else tensor.to(dtype)).contiguous()


class _Rational(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, numerator, denominator, call):
        op, form, engine = ctx.call = call
        ctx.save_for_backward(x, numerator, denominator)
        return ENGINES[engine].forward(op, x, numerator, denominator, form)

    @staticmethod
    def backward(ctx, upstream):
        op, form, engine = ctx.call
        if torch.is_grad_enabled():  # create_graph=True: what is returned is differentiated in its turn
            return *_differentiable_gradients(op, ctx.saved_tensors, form, upstream, ctx.needs_input_grad[:3]), None
        return *_gradients(op, ctx.saved_tensors, form, engine, upstream), None


def _gradients(op: Op, tensors: tuple[torch.Tensor, ...], form: str, engine: str, upstream: torch.Tensor) -> Gradients:
    return ENGINES[engine].backward(op, *tensors, form, _of_type(tensors[0].dtype, upstream))


def _differentiable_gradients(
    op: Op, tensors: tuple[torch.Tensor, ...], form: str, upstream: torch.Tensor, wanted: tuple[bool, ...]
) -> list[torch.Tensor | None]:
    # Nodes of their own: where one input is computed from another, the way between them is for whoever asked, not for here.
    tensors = tuple(tensor.view_as(tensor) for tensor in tensors)
    y = ENGINES["reference"].forward(op, *tensors, form)
    found = torch.autograd.grad(y, [tensor for tensor, want in zip(tensors, wanted) if want], upstream, create_graph=True)
    gradients = iter(found)
    return [next(gradients) if want else None for want in wanted]


# ------------------------------------------------------------------------------------------------------- torch.compile


@torch.library.custom_op(
    "kan_workbench::rational", mutates_args=(), schema="(Tensor x, Tensor numerator, Tensor denominator, str op, str form, str engine) -> Tensor"
)
def _operator(x, numerator, denominator, op, form, engine):
    return ENGINES[engine].forward(op, x, numerator, denominator, form)


@torch.library.custom_op(
    "kan_workbench::rational_backward",
    mutates_args=(),
    schema="(Tensor upstream, Tensor x, Tensor numerator, Tensor denominator, str op, str form, str engine) -> (Tensor, Tensor, Tensor)",
)
def _operator_backward(upstream, x, numerator, denominator, op, form, engine):
    # what a graph was promised: new tensors, contiguous, none a part of another
    gradients = _gradients(op, (x, numerator, denominator), form, engine, upstream)
    return tuple(gradient.clone(memory_format=torch.contiguous_format) if gradient._is_view() else gradient for gradient in gradients)


@_operator.register_fake
def _shape(x, numerator, denominator, op, form, engine):
    return torch.empty_like(x) if op == "group" else x.new_empty(numerator.shape[1], x.shape[1])


@_operator_backward.register_fake
def _shapes(upstream, x, numerator, denominator, op, form, engine):
    return torch.empty_like(x), torch.empty_like(numerator), torch.empty_like(denominator)


def _keep(ctx, inputs, output):
    x, numerator, denominator, ctx.op, ctx.form, ctx.engine = inputs
    ctx.save_for_backward(x, numerator, denominator)


def _pull_back(ctx, upstream):
    return *_operator_backward(upstream, *ctx.saved_tensors, ctx.op, ctx.form, ctx.engine), None, None, None


_operator.register_autograd(_pull_back, setup_context=_keep)
