"""Kolmogorov-Arnold networks and transformers as scikit-learn estimators: Pipeline, clone, cross_val_score, GridSearchCV."""

from workbench.estimator.kan import KANClassifier, KANRegressor
from workbench.estimator.kat import KATClassifier, KATRegressor

__all__ = ["KANClassifier", "KANRegressor", "KATClassifier", "KATRegressor"]
