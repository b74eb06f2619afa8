"""Kolmogorov-Arnold networks as scikit-learn estimators: Pipeline, clone, cross_val_score, GridSearchCV.

The estimators keep a part of the rows for themselves to choose resolution and smoothness (a fifth of 200 rows or more, else folds). To go from
a fitted model to a formula, call `discover(data)`: the model itself never changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from workbench.estimator.targets import SeveralTargetsMixin, classes_and_codes
from workbench.exceptions import TrainingError
from workbench.training import FitConfig, Problem, degrees_for, fitted, intervals_for

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.dataset import Dataset
    from workbench.discovery import Discovery

_HOLDOUT_ROWS = 200
_FOLDS = 5


class _KANEstimator(BaseEstimator):
    """What the regressor and the classifier share."""

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = (5,),
        *,
        product_nodes: tuple[tuple[int, ...], ...] = (),
        basis: Literal["spline", "rational"] = "spline",
        intervals: tuple[int, ...] | None = None,
        degrees: tuple[tuple[int, int], ...] | None = None,
        form: Literal["square", "abs_sum", "sum_abs"] = "square",
        roughness: tuple[float, ...] = (1e-3, 1e-5, 1e-8),
        sparsity: float = 1e-4,
        max_iter: int = 40,
        n_starts: int = 3,
        engine: str = "native",
        validation_fraction: float = 0.2,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.product_nodes = product_nodes
        self.basis = basis
        self.intervals = intervals
        self.degrees = degrees
        self.form = form
        self.roughness = roughness
        self.sparsity = sparsity
        self.max_iter = max_iter
        self.n_starts = n_starts
        self.engine = engine
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def _settings(self, n_rows: int, seed: int) -> FitConfig:
        intervals = self.intervals if self.intervals is not None else intervals_for(n_rows)
        degrees = self.degrees if self.degrees is not None else degrees_for(n_rows)
        sizes = self.hidden_layer_sizes
        if not isinstance(sizes, (tuple, list)) or not all(isinstance(size, (int, np.integer)) for size in sizes):
            raise TrainingError(f"hidden_layer_sizes={sizes!r}: give the number of nodes of each hidden layer as a tuple, such as (5,) or ().")
        return FitConfig(
            hidden_layer_sizes=tuple(sizes),
            product_nodes=tuple(tuple(arities) for arities in self.product_nodes),
            basis=self.basis,
            intervals=tuple(intervals),
            degrees=tuple(tuple(pair) for pair in degrees),
            form=self.form,
            roughness=tuple(self.roughness),
            sparsity=self.sparsity,
            max_iter=self.max_iter,
            n_starts=self.n_starts,
            engine=self.engine,
            random_state=seed,
        )

    def _fit_problem(self, problem: Problem) -> None:
        if not 0 < self.validation_fraction < 1:
            raise TrainingError(f"validation_fraction={self.validation_fraction}: give a share between 0 and 1, such as 0.2.")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        checked = with_checks(problem, self.validation_fraction, np.random.default_rng(seed))
        result = fitted(checked, self._settings(checked.n_rows, seed))
        self.network_ = result.network
        self.report_ = result.report
        self.n_iter_ = result.report.n_iter

    def _outputs(self, X: np.ndarray) -> np.ndarray:
        check_is_fitted(self, "network_")
        return self.network_(validate_data(self, X, reset=False, dtype=float))

    def discover(self, data: Dataset) -> Discovery:
        """Return a discovery that starts from the fitted network; this model stays as it is.

        Parameters
        ----------
        data : the dataset whose rows judge every further step; its features are the model's, in order
        """
        from workbench.discovery import from_model

        check_is_fitted(self, "network_")
        return from_model(data, self.network_, self.report_.roughness, type(self).__name__, _json_params(self))

    def plot(self, X: np.ndarray | None = None) -> go.Figure:
        """Return a Plotly figure of every learned edge function, opacity = importance, over the range of the fitted rows (or of X)."""
        from workbench.figures.plots import edge_curves

        check_is_fitted(self, "network_")
        return edge_curves(self.network_, self._rows if X is None else np.asarray(X, dtype=float))


class KANRegressor(SeveralTargetsMixin, _KANEstimator):
    """A Kolmogorov-Arnold network for regression: every edge a learned curve, trained by Levenberg-Marquardt.

    Parameters
    ----------
    hidden_layer_sizes : sum nodes of each hidden layer; () fits one curve per input
    product_nodes : arity of every product node, per hidden layer, such as ((2,),)
    basis : what the edges are: "spline", or "rational" for quotients of polynomials
    intervals : spline resolutions to go through; None chooses them by the number of rows
    degrees : degrees of rational edges to go through, such as ((5, 4), (8, 8)); None chooses them by the number of rows
    form : denominator of rational edges: "square", "abs_sum" or "sum_abs"
    roughness : weights of the roughness penalty to choose from
    sparsity : weight of the group lasso on edge importance; 0 leaves every edge alone
    max_iter : iterations of each stage
    n_starts : random starts
    engine : "native" fits in NumPy; "cuda" trains large networks on a GPU, "cpu" in the same way on the processor
    validation_fraction : share of the rows kept apart to choose resolution and smoothness, from 200 rows up
    random_state : int, RandomState or None

    Attributes
    ----------
    network_ : KAN
    report_ : FitReport
    n_features_in_, feature_names_in_ : as in scikit-learn

    Examples
    --------
    >>> import numpy as np, workbench as wb
    >>> x = np.linspace(1, 2, 300)[:, None]
    >>> wb.KANRegressor(hidden_layer_sizes=(), random_state=0).fit(x, np.log(x[:, 0])).score(x, np.log(x[:, 0])) > 0.9999
    True
    """

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit to rows X (n_rows, n_features) and targets y (n_rows,) or (n_rows, n_targets)."""
        X, y = validate_data(self, X, y, dtype=float, multi_output=True, y_numeric=True)
        weights = weights_of(sample_weight, X)
        self._one_column = y.ndim == 1
        self._rows = X[:: max(1, len(X) // 2000)]
        self._fit_problem(_weighted(Problem(X.T, y.reshape(len(X), -1).T), weights))
        return self


class KANClassifier(ClassifierMixin, _KANEstimator):
    """A Kolmogorov-Arnold network for classes, trained on cross entropy; parameters as for KANRegressor.

    Attributes
    ----------
    classes_ : (n_classes,)
    network_ : KAN with one logit per class, one in all for two classes
    """

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit to rows X (n_rows, n_features) and labels y (n_rows,)."""
        X, y = validate_data(self, X, y, dtype=float)
        self.classes_, codes = classes_and_codes(y)
        self._rows = X[:: max(1, len(X) // 2000)]
        problem = Problem(X.T, codes[None].astype(float), None, "cross_entropy", len(self.classes_))
        self._fit_problem(_weighted(problem, weights_of(sample_weight, X)))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of every class, (n_rows, n_classes)."""
        check_is_fitted(self, "network_")
        outputs = self._outputs(X).T
        codes = np.zeros((1, outputs.shape[1]))
        return Problem(np.zeros((1, outputs.shape[1])), codes, None, "cross_entropy", len(self.classes_)).probabilities(outputs).T

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of every row, (n_rows,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]


def with_checks(problem: Problem, fraction: float, generator: np.random.Generator) -> Problem:
    """Return the problem with rows to check on: a part kept apart from 200 rows up, five folds below.

    Equal rows always stay together, so a row of weight 2 counts as the row given twice.
    """
    _, kind = np.unique(np.vstack([problem.x, problem.y]), axis=1, return_inverse=True)
    n_kinds = int(kind.max()) + 1
    place = generator.permutation(n_kinds)[kind.ravel()]  # where each row's kind came in a shuffle
    if problem.n_rows >= _HOLDOUT_ROWS:
        kept = place < max(1, round(fraction * n_kinds))
        return replace(problem.rows(np.flatnonzero(~kept)), validation=problem.rows(np.flatnonzero(kept)))
    if n_kinds < 2 * _FOLDS:
        return problem
    fold = place % _FOLDS
    folds = tuple((np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(_FOLDS))
    return replace(problem, folds=folds)


def weights_of(sample_weight: np.ndarray | None, X: np.ndarray) -> np.ndarray | None:
    """Return weights with mean 1, or None for equal ones."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, X, dtype=float, ensure_non_negative=True)
    if not weights.sum() > 0:
        raise TrainingError("Every sample_weight is zero. Give at least one row a positive weight.")
    return weights / weights.mean()


def _weighted(problem: Problem, weights: np.ndarray | None) -> Problem:
    """Return the problem with weights; rows of weight zero are left out altogether."""
    if weights is None:
        return problem
    rows = np.flatnonzero(weights > 0)
    kept = weights[rows] / weights[rows].mean()
    return replace(problem.rows(rows), weights=kept, scale=np.empty(0))


def _json_params(model: BaseEstimator) -> dict[str, Any]:
    """Return the constructor parameters that differ from the defaults, as JSON values."""
    defaults = type(model)().get_params()
    changed = {name: value for name, value in model.get_params().items() if value != defaults[name]}
    return {name: value for name, value in changed.items() if isinstance(value, (int, float, str, tuple, list, type(None)))}
