"""Who computes an op on torch tensors: Numba on a CPU, CuPy on a GPU, or the torch reference anywhere.

    "cpu"         ops.rational and ops.spline, the Numba kernels
    "cuda"        kernels/rational.cu and kernels/spline.cu by way of CuPy
    "reference"   plain torch operations, on every device that torch knows
    "auto"        "cpu" for tensors of a CPU, "cuda" for those of a GPU, "reference" elsewhere

An engine that is named is taken, or says why it cannot be. Only "auto" may fall back to the reference, where CuPy is missing; what it took it
says once in the log `workbench.ops`: with a warning where it fell back.

Tensors that arrive here are contiguous, of one device, x and upstream of one storage type, coefficients of the type of computation.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
import torch

from workbench.exceptions import MissingEngineError, NetworkError, did_you_mean
from workbench.ops import cuda, launch, rational, reference, spline, spline_launch
from workbench.ops.device import Device, Gradients

Op = Literal["group", "edge", "spline"]
Tensors = tuple[torch.Tensor, ...]  # x, numerator, denominator; or x, coefficients, base, domain

_log = logging.getLogger("workbench.ops")


class Engine(Protocol):
    """An implementation of every op; `form` is that of a denominator, nothing for splines."""

    def forward(self, op: Op, tensors: Tensors, form: str) -> torch.Tensor:
        """Return y."""

    def backward(self, op: Op, tensors: Tensors, form: str, upstream: torch.Tensor) -> Gradients:
        """Return the gradients of the first three tensors from dL/dy."""


class ReferenceEngine:
    """Plain torch in the type of computation."""

    def forward(self, op: Op, tensors: Tensors, form: str) -> torch.Tensor:
        x, *others = tensors
        given = x.to(others[0].dtype), *others
        if op == "spline":
            return reference.edge_spline(*given).to(x.dtype)
        return (reference.group_rational if op == "group" else reference.edge_rational)(*given, form).to(x.dtype)

    def backward(self, op: Op, tensors: Tensors, form: str, upstream: torch.Tensor) -> Gradients:
        given = tuple(tensor.detach().requires_grad_() for tensor in tensors[:3])
        with torch.enable_grad():
            y = self.forward(op, (*given, *tensors[3:]), form)
        return torch.autograd.grad(y, given, upstream)


class CpuEngine:
    """The Numba kernels; 16-bit numbers go through float32."""

    def forward(self, op: Op, tensors: Tensors, form: str) -> torch.Tensor:
        x, a, b, *domain = tensors
        if op == "group":
            y = rational.group_forward(_rows(x, a.dtype), a.numpy(force=True), b.numpy(force=True), form, torch.get_num_threads())
            return _stored(torch.from_numpy(y.reshape(x.shape)), x)
        given, (m, n_out, n_in) = _stored(x, a), a.shape
        if op == "spline":
            return _stored(torch.from_numpy(spline.forward(*_arrays(given, a, b, *domain))), x)
        y = given.new_empty(n_out, x.shape[1])
        where = given.data_ptr(), a.data_ptr(), b.data_ptr(), y.data_ptr()
        rational.edge_forward_at(form, _NUMPY[a.dtype], (m, len(b), n_in, n_out, x.shape[1]), *where)
        return _stored(y, x)

    def backward(self, op: Op, tensors: Tensors, form: str, upstream: torch.Tensor) -> Gradients:
        x, a, b, *domain = tensors
        if op == "group":
            arrays = _rows(x, a.dtype), a.numpy(force=True), b.numpy(force=True), form, _rows(upstream, a.dtype)
            into_x, into_a, into_b = rational.group_backward(*arrays, torch.get_num_threads())
            return _stored(torch.from_numpy(into_x.reshape(x.shape)), x), torch.from_numpy(into_a), torch.from_numpy(into_b)
        given, above, (m, n_out, n_in) = _stored(x, a), _stored(upstream, a), a.shape
        if op == "spline":
            into_x, into_a, into_b = map(torch.from_numpy, spline.backward(*_arrays(given, a, b, *domain, above)))
            return _stored(into_x, x), into_a, into_b
        into_x, into_a, into_b = torch.empty_like(given), torch.empty_like(a), torch.empty_like(b)
        where = given.data_ptr(), above.data_ptr(), a.data_ptr(), b.data_ptr(), into_x.data_ptr(), into_a.data_ptr(), into_b.data_ptr()
        rational.edge_backward_at(form, _NUMPY[a.dtype], (m, len(b), n_in, n_out, x.shape[1]), *where)
        return _stored(into_x, x), into_a, into_b


# A small layer takes less time than ten calls of torch: what NumPy or an address can do in a fraction of one is left to them.
_NUMPY = {torch.float64: np.dtype(np.float64), torch.float32: np.dtype(np.float32)}


def _stored(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return a tensor in the type of another."""
    return tensor if tensor.dtype is like.dtype else tensor.to(like.dtype)


def _arrays(*tensors: torch.Tensor) -> tuple[np.ndarray, ...]:
    """Return tensors' own memory as arrays."""
    return tuple([tensor.numpy(force=True) for tensor in tensors])


def _rows(tensor: torch.Tensor, dtype: torch.dtype) -> np.ndarray:
    """Return a tensor's own memory, converted where it must be, as an array: (..., n_channels) -> (n_rows, n_channels)."""
    array = (tensor if tensor.dtype is dtype else tensor.to(dtype)).numpy(force=True)
    return array.reshape(array.size // array.shape[-1], array.shape[-1])


class DeviceEngine:
    """The CUDA texts on whatever runs them.

    Parameters
    ----------
    device_of : returns the device that a tensor lies on
    """

    def __init__(self, device_of: Callable[[torch.Tensor], Device]) -> None:
        self._device_of = device_of

    def forward(self, op: Op, tensors: Tensors, form: str) -> torch.Tensor:
        device = self._device_of(tensors[0])
        if op == "spline":
            return spline_launch.forward(device, *tensors)
        return (launch.group_forward if op == "group" else launch.edge_forward)(device, *tensors, form)

    def backward(self, op: Op, tensors: Tensors, form: str, upstream: torch.Tensor) -> Gradients:
        device = self._device_of(tensors[0])
        if op == "spline":
            return spline_launch.backward(device, *tensors, upstream)
        return (launch.group_backward if op == "group" else launch.edge_backward)(device, *tensors, form, upstream)


ENGINES: dict[str, Engine] = {
    "cpu": CpuEngine(),
    "cuda": DeviceEngine(lambda x: cuda.device(x.device.index)),
    "reference": ReferenceEngine(),
}
_ON = {"cpu": "cpu", "cuda": "cuda"}  # engine -> the kind of device its tensors lie on


def check_engine(engine: str, device: torch.device) -> None:
    """Refuse an engine that there is none of, or that does not work on tensors of this device."""
    if engine != "auto" and engine not in ENGINES:
        known = ["auto", *ENGINES]
        raise NetworkError(f"engine={engine!r}: no such engine.{did_you_mean(engine, known)} Known: {', '.join(known)}.")
    kind = _ON.get(engine)
    if kind is not None and kind != device.type:
        raise NetworkError(f"engine={engine!r} works on tensors of a {kind} device; x is on {device}. Move it, or take engine='auto'.")


def choose(kind: str, index: int) -> str:
    """Return the engine that "auto" takes for tensors of a kind of device, such as "cuda", and say so once."""
    name, why = _choice(kind, index)
    _say_once(name, kind, why)
    return name


# Decided when a graph is made, and not in it. This is all that torch.compiler.assume_constant_result does, but for importing a compiler, which takes seconds.
choose._dynamo_marked_constant = True


@functools.cache
def _choice(kind: str, index: int) -> tuple[str, str]:
    """Return an engine and why it is that one, where it is not the one to wish for."""
    if kind != "cuda":
        return ("cpu", "") if kind == "cpu" else ("reference", "")
    try:
        cuda.device(index)
    except MissingEngineError as error:
        return "reference", str(error)
    return "cuda", ""


@functools.cache
def _say_once(name: str, kind: str, why: str) -> None:
    if why:
        _log.warning("engine='auto' took 'reference', which is slow, for tensors on %s. %s", kind, why)
    else:
        _log.info("engine='auto' took %r for tensors on %s.", name, kind)
