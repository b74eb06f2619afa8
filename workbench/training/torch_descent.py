"""Descent of a network as a torch module, on an engine of the ops: for KANs too large for Levenberg-Marquardt, on a GPU where there is one.

    "lbfgs"   L-BFGS with a strong Wolfe line search on all rows, in float64
    "adam"    Adam on batches of rows with a falling rate, in float32; a step is relative to the size of what it moves

Both lower the same objective as the solvers in NumPy: the problem's loss and the quadratic penalty of `training.penalty`, per unit of mass. Nothing here
knows a GPU: engine "cpu" goes the very same way on the Numba kernels. torch is imported when a descent begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from workbench.exceptions import TrainingError
from workbench.networks.as_torch import as_network, as_torch, theta
from workbench.networks.kan import KAN
from workbench.networks.program import Evaluation, LayerProgram, Program
from workbench.training import penalty
from workbench.training.lm import row_blocks
from workbench.training.penalty import Penalty
from workbench.training.problem import Problem

if TYPE_CHECKING:
    import torch

Reached = tuple[int, Callable[[], KAN], float]

_MANY_ROWS = 20_000  # above it "auto" takes batches
_BATCH = 4096
_STEPS = 25  # of Adam for one iteration of the caller's: about as many as one of Levenberg-Marquardt is worth
_RATE = 3e-2  # of Adam, in units of what is moved


class Way(NamedTuple):
    """How a network goes down: by which solver, on which engine; "native" is NumPy's."""

    engine: Literal["native", "cpu", "cuda", "reference"] = "native"
    optimizer: Literal["auto", "lm", "lbfgs", "adam"] = "auto"


def require(engine: str) -> None:
    """Say what is missing, if anything, before anything is computed.

    Raises
    ------
    MissingEngineError : "cuda" without a GPU, a driver or CuPy
    """
    if engine == "cuda":
        from workbench.ops import cuda

        cuda.device(0)


def descend(network: KAN, problem: Problem, roughness: float, sparsity: float, length: int, way: Way) -> Iterator[Reached]:
    """Run `length` iterations, yielding after each: how many there were, what makes the network, the loss without penalties; at least once."""
    import torch

    require(way.engine)
    by_batches = way.optimizer == "adam" or (way.optimizer == "auto" and problem.n_rows > _MANY_ROWS)
    dtype, place = torch.float32 if by_batches else torch.float64, "cuda" if way.engine == "cuda" else "cpu"
    module = as_torch(network, dtype, way.engine).to(place)
    goal = Goal(network, problem, _penalty(network, problem, roughness, sparsity), dtype, place)
    steps = _batches(module, goal, length) if by_batches else _line_searches(module, goal, length)
    for n, loss in steps:
        if not np.isfinite(loss):
            raise TrainingError(f"The training on engine={way.engine!r} left the finite numbers in iteration {n}. Look for extreme values in the table.")
        kept = {name: values.detach().to("cpu", copy=True) for name, values in module.state_dict().items()}
        yield n, partial(_network, network, way.engine, dtype, kept), loss * problem.mass


def _network(network: KAN, engine: str, dtype: torch.dtype, constants: dict[str, torch.Tensor]) -> KAN:
    module = as_torch(network, dtype, engine)
    module.load_state_dict(constants)
    return as_network(module, network)


def _penalty(network: KAN, problem: Problem, roughness: float, sparsity: float) -> Penalty:
    program = Program(network)
    smooth = penalty.smoothness(program, problem, roughness)
    if not sparsity:
        return smooth
    block = row_blocks(problem)[0]
    evaluation = Evaluation(program, block.x)
    evaluation.forward(program.parameters)
    return penalty.with_sparsity(smooth, evaluation, program.parameters, sparsity, block.weights)


class Goal:
    """What is lowered, as a torch function: loss and penalty of a module on rows, both per unit of mass.

    Parameters
    ----------
    network, problem, smooth : what the module was made of, what it is fitted to, and its penalty
    dtype, place : of the module
    """

    def __init__(self, network: KAN, problem: Problem, smooth: Penalty, dtype: torch.dtype, place: str) -> None:
        import torch

        def tensor(values: np.ndarray) -> torch.Tensor:
            return torch.tensor(np.array(values), dtype=dtype, device=place)

        self.X, self.mass, self.n_rows, self.one_logit = tensor(problem.x.T), problem.mass, problem.n_rows, problem.n_outputs == 1
        self.weights = None if problem.weights is None else tensor(problem.weights)
        self.classes = torch.tensor(problem.y[0].astype(np.int64), device=place) if problem.loss == "cross_entropy" else None
        self.y, self.scale = tensor(problem.y.T), tensor(problem.scale)
        program = Program(network)
        self.blocks = [tensor(_dense(layer, blocks, program.free)) for layer, blocks in zip(program.layers, smooth.blocks, strict=True)]

    def loss(self, module: torch.nn.Module, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return the mean loss of rows, of all where none are named."""
        import torch

        def chosen(values: torch.Tensor) -> torch.Tensor:
            return values if rows is None else values[rows]

        outputs = module(chosen(self.X))
        if self.classes is None:
            errors = 0.5 * ((outputs - chosen(self.y)) / self.scale).square().sum(1)
        else:
            logits = torch.cat([torch.zeros_like(outputs), outputs], 1) if self.one_logit else outputs
            errors = torch.nn.functional.cross_entropy(logits, chosen(self.classes), reduction="none")
        if self.weights is not None:
            errors = errors * chosen(self.weights)
        return errors.sum() / (self.mass if rows is None else self.mass * len(rows) / self.n_rows)

    def penalty(self, module: torch.nn.Module) -> torch.Tensor:
        """Return the penalty of every learned edge that may change."""
        total = self.X.new_zeros(())
        for layer, blocks in zip(module.layers, self.blocks, strict=True):
            constants = theta(layer)
            total = total + 0.5 * (constants * (blocks @ constants.unsqueeze(-1)).squeeze(-1)).sum()
        return total


def _dense(layer: LayerProgram, blocks: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return the blocks of a penalty at the places of their edges, (n_out, n_in, n_terms, n_terms); zero where there is none to fit."""
    dense = np.zeros((layer.n_out, len(layer.domain), *blocks.shape[1:]))
    may_change = free[layer.learned].reshape(-1, layer.n_terms)[:, :1, None]
    dense[layer.edge_target, layer.edge_source] = blocks * may_change
    return dense


def _line_searches(module: torch.nn.Module, goal: Goal, length: int) -> Iterator[tuple[int, float]]:
    """Yield after every iteration of L-BFGS: its number, and the loss."""
    import torch

    from workbench.training.adam import few_threads

    learned = _learned(module)
    optimizer = torch.optim.LBFGS(learned, max_iter=8, history_size=20, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        total = goal.loss(module) + goal.penalty(module)
        total.backward()
        for parameter in learned:
            if parameter.grad is not None:
                parameter.grad = parameter.grad.contiguous()  # the optimizer lays it flat by a view
        return total

    for n in range(1, length + 1):
        with few_threads(module):
            optimizer.step(closure)
            with torch.no_grad():
                loss = float(goal.loss(module))
        yield n, loss


def _batches(module: torch.nn.Module, goal: Goal, length: int) -> Iterator[tuple[int, float]]:
    """Yield after every `_STEPS` steps of Adam: how often so far, and the mean loss of their batches."""
    import torch

    from workbench.training.adam import few_threads

    sizes = [float(parameter.detach().abs().mean()) for parameter in _learned(module)]
    groups = [{"params": [parameter], "lr": _RATE * max(size, 1e-2)} for parameter, size in zip(_learned(module), sizes, strict=True)]
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, length * _STEPS)
    generator = torch.Generator().manual_seed(0)
    for n in range(1, length + 1):
        total = goal.X.new_zeros(())
        with few_threads(module):
            for _ in range(_STEPS):
                rows = torch.randint(goal.n_rows, (min(_BATCH, goal.n_rows),), generator=generator).to(goal.X.device)
                optimizer.zero_grad()
                loss = goal.loss(module, rows)
                (loss + goal.penalty(module)).backward()
                optimizer.step()
                schedule.step()
                total += loss.detach()  # stays on the device: nobody waits for it before the end of the iteration
        yield n, float(total) / _STEPS


def _learned(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Return the constants that there are any of."""
    return [parameter for parameter in module.parameters() if parameter.numel()]
