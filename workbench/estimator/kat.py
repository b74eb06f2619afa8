"""Kolmogorov-Arnold transformers as scikit-learn estimators.

    model = KATClassifier(tokens="patches", input_shape=(8, 8), jitter=1.0, random_state=0).fit(X, y)      # X (n_rows, 64)
    reading = model.read(X, y)                                                                             # its activations, to be named

They are trained in float32 by AdamW, the rate falling along a cosine; predictions are made in float64, so that a row gets the same answer alone and
among others. torch is imported when a model is fitted.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from workbench.estimator.kan import weights_of
from workbench.estimator.targets import SeveralTargetsMixin, classes_and_codes
from workbench.exceptions import TrainingError, did_you_mean

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.activations import KATReading
    from workbench.networks.kat.tokens import Tokens

_KINDS = ("columns", "patches", "steps")


class _KATEstimator(BaseEstimator):
    """What the regressor and the classifier share."""

    def __init__(
        self,
        tokens: Literal["columns", "patches", "steps"] = "columns",
        *,
        input_shape: tuple[int, ...] | None = None,
        patch_size: int = 4,
        width: int = 48,
        depth: int = 2,
        n_heads: int = 4,
        expansion: int = 2,
        n_groups: int = 4,
        activation: str = "gelu",
        form: str = "sum_abs",
        dropout: float = 0.0,
        jitter: float = 0.0,
        max_iter: int = 40,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.05,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.tokens = tokens
        self.input_shape = input_shape
        self.patch_size = patch_size
        self.width = width
        self.depth = depth
        self.n_heads = n_heads
        self.expansion = expansion
        self.n_groups = n_groups
        self.activation = activation
        self.form = form
        self.dropout = dropout
        self.jitter = jitter
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.random_state = random_state

    def _fit_module(self, X: np.ndarray, y: np.ndarray, loss: str, n_outputs: int, weights: np.ndarray | None) -> None:
        """Train a module on rows X (n_rows, n_features) and y as `Samples` has it."""
        import torch

        from workbench.networks.kat import KATConfig, build
        from workbench.training.adam import AdamConfig, Samples, jitter, train

        tokens = self._kind_of_tokens(X.shape[1])
        shape = {name: getattr(self, name) for name in ("width", "depth", "n_heads", "expansion", "n_groups", "activation", "form", "dropout")}
        generator = torch.Generator().manual_seed(int(check_random_state(self.random_state).randint(2**31 - 1)))
        rows = slice(None) if weights is None else np.flatnonzero(weights > 0)
        given = torch.from_numpy(X[rows].reshape(-1, *tokens.shape).astype(np.float32))
        samples = Samples(
            given,
            torch.from_numpy(y[rows]),
            loss,
            None if weights is None else torch.from_numpy((weights[rows] / weights[rows].mean()).astype(np.float32)),
            jitter(self.jitter) if self.jitter else None,
        )
        module = build(KATConfig(tokens, n_outputs, **shape), generator, given)
        config = AdamConfig(self.max_iter, self.batch_size, self.learning_rate, self.weight_decay)
        self.loss_curve_ = []
        for epoch in train(module, samples, config, generator):
            module = epoch.module
            self.loss_curve_.append(epoch.loss)
        self.module_, self.n_iter_ = module, len(self.loss_curve_)

    def _kind_of_tokens(self, n_features: int) -> Tokens:
        from workbench.networks.kat import Columns, Patches, Steps

        if self.tokens not in _KINDS:
            raise TrainingError(f"tokens={self.tokens!r}: no such kind.{did_you_mean(str(self.tokens), _KINDS)} Known: {', '.join(_KINDS)}.")
        if self.jitter and self.tokens != "patches":
            raise TrainingError(f"jitter={self.jitter} turns and shifts images; with tokens={self.tokens!r} there are none. Leave it at 0.")
        if self.tokens == "columns":
            return Columns(n_features)
        shape = tuple(self.input_shape or ())
        if int(np.prod(shape)) != n_features or len(shape) not in ((2, 3) if self.tokens == "patches" else (1, 2)):
            wanted = "(height, width) or (channels, height, width)" if self.tokens == "patches" else "(length,) or (length, n_features)"
            raise TrainingError(f"input_shape={self.input_shape}: with tokens={self.tokens!r} give {wanted} of the {n_features} columns of X.")
        if self.tokens == "patches":
            channels, height, width = (1, *shape)[-3:]
            return Patches(height, width, self.patch_size, channels)
        return Steps(*shape)

    def _rows(self, X: np.ndarray) -> np.ndarray:
        """Return rows in the shape of the module's tokens."""
        check_is_fitted(self, "module_")
        X = validate_data(self, X, reset=False, dtype=float)
        return X.reshape(-1, *self.module_.config.tokens.shape)

    def _outputs(self, X: np.ndarray) -> np.ndarray:
        import torch

        from workbench.training.adam import outputs_of

        rows = torch.tensor(self._rows(X))
        return outputs_of(copy.deepcopy(self.module_).double(), rows).numpy()

    def read(self, X: np.ndarray, y: np.ndarray, *, validation: tuple[np.ndarray, np.ndarray] | None = None, random_state: int = 0) -> KATReading:
        """Open the fitted model to look at its activation functions and name them; this model stays as it is.

        Parameters
        ----------
        X, y : the rows it was fitted to
        validation : rows (X, y) that judge names; a fifth of the rows given when left out
        random_state : seed of every training that follows
        """
        from workbench.activations import open_kat

        judges = None if validation is None else (self._rows(validation[0]), self._codes(validation[1]))
        return open_kat(self.module_, self._rows(X), self._codes(y), validation=judges, form=self.form, random_state=random_state)

    def plot(self, X: np.ndarray, y: np.ndarray) -> go.Figure:
        """Return a Plotly figure of every activation function over what it receives on rows, with the density of that."""
        from workbench.figures.activations import function_curves

        return function_curves(self.read(X, y))

    def _codes(self, y: np.ndarray) -> np.ndarray:
        """Return targets as the module was trained on them."""
        return np.asarray(y, dtype=float)

    def attention(self, X: np.ndarray) -> dict[str, np.ndarray]:
        """Return the attention maps on rows, path of the attention part -> (n_rows, n_heads, n_tokens, n_tokens); the class token comes first."""
        import torch

        from workbench.activations import attention_maps

        return attention_maps(self.module_, torch.from_numpy(self._rows(X).astype(np.float32)))


class KATRegressor(SeveralTargetsMixin, _KATEstimator):
    """A Kolmogorov-Arnold transformer for regression.

    Parameters
    ----------
    tokens : "columns" makes a token of every column, "patches" of every square of an image, "steps" of every step of a sequence
    input_shape : how a row of X is laid out: (height, width), (channels, height, width), (length,) or (length, n_features); not for "columns"
    patch_size : pixels along a side of a square
    width, depth, n_heads, expansion, n_groups : channels of a token, blocks, attention heads, inner width of a feed-forward part in units of the
        width, groups of channels that share an activation; heads and groups divide the width
    activation : what the second activation of a block begins as: "gelu", "silu", "relu", "tanh", "sigmoid" or "identity"
    form : of the denominators: "sum_abs", "abs_sum" or "square"
    dropout : share of channels left out behind an activation in training
    jitter : strength of the random turning, stretching and shifting of images in training; 1 for up to 0.2 rad, 10 % and 7.5 %
    max_iter : epochs
    batch_size, learning_rate, weight_decay : of AdamW
    random_state : int, RandomState or None

    Attributes
    ----------
    module_ : torch module, X (n_rows, *shape of the tokens) -> (n_rows, n_targets), in the units of X and y
    loss_curve_ : mean loss of every epoch
    n_iter_, n_features_in_, feature_names_in_ : as in scikit-learn

    Examples
    --------
    >>> import numpy as np, workbench as wb
    >>> X = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    >>> y = X[:, 0] * X[:, 1]
    >>> wb.KATRegressor(width=16, depth=1, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit to rows X (n_rows, n_features) and targets y (n_rows,) or (n_rows, n_targets)."""
        import torch

        X, y = validate_data(self, X, y, dtype=float, multi_output=True, y_numeric=True)
        weights = weights_of(sample_weight, X)
        self._one_column = y.ndim == 1
        y = y.reshape(len(X), -1).astype(float)
        centre, spread = y.mean(0), y.std(0)
        spread = np.where(spread > 0, spread, 1.0)
        self._fit_module(X, ((y - centre) / spread).astype(np.float32), "squared", y.shape[1], weights)
        with torch.no_grad():  # the head gives targets in their own units: spread (W x + b) + centre
            head, scale = self.module_.head, torch.from_numpy(spread).float()
            head.weight.mul_(scale[:, None])
            head.bias.mul_(scale).add_(torch.from_numpy(centre).float())
        return self


class KATClassifier(ClassifierMixin, _KATEstimator):
    """A Kolmogorov-Arnold transformer for classes, trained on cross entropy; parameters as for KATRegressor.

    Attributes
    ----------
    classes_ : (n_classes,)
    module_ : torch module with one logit per class
    """

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Fit to rows X (n_rows, n_features) and labels y (n_rows,)."""
        X, y = validate_data(self, X, y, dtype=float)
        self.classes_, codes = classes_and_codes(y)
        self._fit_module(X, codes.astype(np.int64), "cross_entropy", len(self.classes_), weights_of(sample_weight, X))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of every class, (n_rows, n_classes)."""
        logits = self._outputs(X)
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of every row, (n_rows,)."""
        best = self.predict_proba(X).argmax(1)
        return self.classes_[best]

    def _codes(self, y: np.ndarray) -> np.ndarray:
        unknown = sorted(set(np.unique(y)) - set(self.classes_))
        if unknown:
            raise TrainingError(f"read: this model does not know the class {str(unknown[0])!r}. It was fitted to {', '.join(map(str, self.classes_))}.")
        return np.searchsorted(self.classes_, y)
