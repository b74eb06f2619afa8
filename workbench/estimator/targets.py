"""What the estimators of both kinds of model do with targets: columns of numbers, and labels of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.multiclass import check_classification_targets

from workbench.exceptions import TrainingError


class SeveralTargetsMixin(RegressorMixin):
    """A regressor that takes y (n_rows,) or (n_rows, n_targets), and answers in the same shape; its `fit` sets `_one_column`."""

    _one_column: bool

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return predictions (n_rows,), or (n_rows, n_targets) where y had columns."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._one_column else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags


def classes_and_codes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes among labels (n_rows,), and the number of each row's; there must be two classes at least."""
    check_classification_targets(y)
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise TrainingError(f"The labels hold one class only, {classes[0]!r}. Give rows of at least two classes.")
    return classes, codes
