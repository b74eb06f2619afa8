"""How a network is to be fitted, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from workbench.exceptions import TrainingError, did_you_mean
from workbench.networks.kan import KAN
from workbench.training.torch_descent import Way

_ON_ENGINES = ("auto", "lbfgs", "adam")
_OPTIMIZERS = {"native": ("auto", "lm", "lbfgs"), "cpu": _ON_ENGINES, "cuda": _ON_ENGINES, "reference": _ON_ENGINES}


@dataclass(frozen=True)
class FitConfig:
    """Settings of a fit.

    Parameters
    ----------
    hidden_layer_sizes : sum nodes of each hidden layer; () fits one curve per input
    product_nodes : arity of every product node, per hidden layer, such as ((2, 2),): two products of two factors in the first
    intervals : spline resolutions to go through; a finer one is kept only when it lowers the error on checked rows
    roughness : weights of the second-difference penalty to choose from by the error on checked rows
    sparsity : weight of the group lasso on edge importance; 0 leaves every edge alone, 1e-3 keeps what explains a thousandth
    max_iter : iterations of each stage
    n_starts : random starts; the best after a short run goes on
    random_state : seed of the starts
    engine : "native" fits in NumPy; "cuda" on a GPU, "cpu" the same way on the processor: as a torch module, for networks of many constants
    optimizer : "auto" takes Levenberg-Marquardt up to about 1000 constants, L-BFGS above, mini-batches last when rows are many; on an
        engine L-BFGS ("lbfgs"), and Adam ("adam") when rows are many
    """

    hidden_layer_sizes: tuple[int, ...] = (5,)
    product_nodes: tuple[tuple[int, ...], ...] = ()
    intervals: tuple[int, ...] = (5, 10, 20)
    roughness: tuple[float, ...] = (1e-3, 1e-5, 1e-8)
    sparsity: float = 0.0
    max_iter: int = 40
    n_starts: int = 3
    random_state: int = 0
    optimizer: Literal["auto", "lm", "lbfgs", "adam"] = "auto"
    engine: Literal["native", "cpu", "cuda", "reference"] = "native"

    @property
    def way(self) -> Way:
        """How networks go down."""
        return Way(self.engine, self.optimizer)

    def __post_init__(self) -> None:
        if self.engine not in _OPTIMIZERS:
            known = f"{did_you_mean(self.engine, _OPTIMIZERS)} Known: {', '.join(_OPTIMIZERS)}."
            raise TrainingError(f"engine={self.engine!r}: no such engine.{known}")
        if self.optimizer not in _OPTIMIZERS[self.engine]:
            allowed = ", ".join(_OPTIMIZERS[self.engine])
            raise TrainingError(f"optimizer={self.optimizer!r} does not go with engine={self.engine!r}. There: {allowed}.")
        if any(size < 0 for size in self.hidden_layer_sizes):
            raise TrainingError(f"hidden_layer_sizes={self.hidden_layer_sizes}: sizes are whole numbers from 0 up, such as (5,) or ().")
        if len(self.product_nodes) > len(self.hidden_layer_sizes):
            raise TrainingError(
                f"product_nodes={self.product_nodes}: give one tuple of arities per hidden layer, "
                f"at most {len(self.hidden_layer_sizes)} here."
            )
        if not self.intervals or min(self.intervals) < 1:
            raise TrainingError(f"intervals={self.intervals}: give one or more whole numbers from 1 up, such as (5, 10, 20).")
        if not self.roughness or min(self.roughness) < 0 or self.sparsity < 0:
            raise TrainingError("roughness and sparsity are weights from 0 up, such as roughness=(1e-4,), sparsity=1e-3.")
        if self.max_iter < 1 or self.n_starts < 1:
            raise TrainingError(f"max_iter={self.max_iter} and n_starts={self.n_starts} must be at least 1.")


@dataclass(frozen=True)
class FitProgress:
    """One iteration of a fit, for whoever watches: how far along it is, and the network so far.

    Parameters
    ----------
    unpack : makes the network; called only when somebody looks at it
    stage : what is being done, in a few words
    fraction : how far along, 0 to 1
    rmse : error on the fitted rows in units of the target's spread
    iterations : taken so far, those of the starts included
    blocks : blocks of iterations that are finished
    """

    unpack: Callable[[], KAN]
    stage: str
    fraction: float
    rmse: float
    iterations: int
    blocks: int

    @cached_property
    def network(self) -> KAN:
        """The network so far."""
        return self.unpack()


@dataclass(frozen=True)
class FitReport:
    """What came of a fit: error on the fitted rows in units of the target's spread, iterations, the penalty that was chosen."""

    rmse: float
    n_iter: int
    seconds: float
    converged: bool
    roughness: float
    history: tuple[float, ...] = ()


@dataclass(frozen=True)
class FitResult:
    """The fitted network and how it was come by."""

    network: KAN
    report: FitReport
