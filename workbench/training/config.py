"""How a network is to be fitted, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from workbench.bases.basis import Basis, Family
from workbench.bases.bspline import Spline
from workbench.bases.rational import Form, Rational
from workbench.exceptions import NetworkError, TrainingError, did_you_mean
from workbench.networks.kan import KAN
from workbench.training.torch_descent import Way

_ON_ENGINES = ("auto", "lbfgs", "adam")
_OPTIMIZERS = {"native": ("auto", "lm", "lbfgs"), "cpu": _ON_ENGINES, "cuda": _ON_ENGINES, "reference": _ON_ENGINES}

FAMILIES: tuple[Family, ...] = ("spline", "rational")


@dataclass(frozen=True)
class FitConfig:
    """Settings of a fit.

    Parameters
    ----------
    hidden_layer_sizes : sum nodes of each hidden layer; () fits one curve per input
    product_nodes : arity of every product node, per hidden layer, such as ((2, 2),): two products of two factors in the first
    basis : what the edges are: "spline", or "rational" for quotients of polynomials
    intervals : spline resolutions to go through; a finer one is kept only when it lowers the error on checked rows
    degrees : of numerator and denominator of rational edges, from (0, 0) to (8, 8), to go through like resolutions
    form : denominator of rational edges: "square" is smooth, "abs_sum" and "sum_abs" are those of Kolmogorov-Arnold transformers
    roughness : weights of the roughness penalty to choose from by the error on checked rows; for rational edges 0 is tried as well
    sparsity : weight of the group lasso on edge importance; 0 leaves every edge alone, 1e-3 keeps what explains a thousandth
    max_iter : iterations of each stage
    n_starts : random starts, twice as many for small networks of rational functions; the best after a short run goes on
    random_state : seed of the starts
    engine : "native" fits in NumPy; "cuda" on a GPU, "cpu" the same way on the processor: as a torch module, for networks of many constants
    optimizer : "auto" takes Levenberg-Marquardt up to about 1000 constants, L-BFGS above, mini-batches last when rows are many; on an
        engine L-BFGS ("lbfgs"), and Adam ("adam") when rows are many
    """

    hidden_layer_sizes: tuple[int, ...] = (5,)
    product_nodes: tuple[tuple[int, ...], ...] = ()
    basis: Family = "spline"
    intervals: tuple[int, ...] = (5, 10, 20)
    degrees: tuple[tuple[int, int], ...] = ((5, 4), (8, 8))
    form: Form = "square"
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
        if self.basis not in FAMILIES:
            raise TrainingError(f"basis={self.basis!r}: no such edge functions.{did_you_mean(self.basis, FAMILIES)} Known: {', '.join(FAMILIES)}.")
        self._check_degrees()
        if not self.roughness or min(self.roughness) < 0 or self.sparsity < 0:
            raise TrainingError("roughness and sparsity are weights from 0 up, such as roughness=(1e-4,), sparsity=1e-3.")
        if self.max_iter < 1 or self.n_starts < 1:
            raise TrainingError(f"max_iter={self.max_iter} and n_starts={self.n_starts} must be at least 1.")

    def _check_degrees(self) -> None:
        try:
            if not [Rational(*pair, self.form) for pair in self.degrees]:
                raise TrainingError("degrees=(): give one or more pairs, such as ((5, 4), (8, 8)).")
        except (NetworkError, TypeError):
            raise TrainingError(
                f"degrees={self.degrees}, form={self.form!r}: give pairs from (0, 0) to (8, 8), such as ((5, 4), (8, 8)), and a form, such as 'square'."
            ) from None

    @property
    def resolutions(self) -> tuple[Basis, ...]:
        """What the edges are, coarsest first."""
        if self.basis == "rational":
            return tuple(Rational(m, n, self.form) for m, n in self.degrees)
        return tuple(Spline(n) for n in self.intervals)


def intervals_for(n_rows: int) -> tuple[int, ...]:
    """Return the spline resolutions that so many rows can carry, coarsest first: some eight rows per constant of one input's curve."""
    return tuple(n for n in (3, 5, 10, 20) if n == 3 or n_rows >= 15 * n)[-3:]


def degrees_for(n_rows: int) -> tuple[tuple[int, int], ...]:
    """Return the degrees of rational edges that so many rows can carry, lowest first: some eight rows per constant as well."""
    if n_rows < 80:
        return ((3, 2),)
    return ((5, 4), (8, 8)) if n_rows >= 140 else ((5, 4),)


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
