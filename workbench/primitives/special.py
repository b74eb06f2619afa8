"""Functions that rows of the library share, written so that no digits are lost where the textbook formula is 0/0 or inf/inf."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def logistic(z: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow; in the left tail, where it is nearly exp(z), to full precision."""
    decay = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, decay) / (1.0 + decay)


def sinc(z: Array) -> Array:
    """sin(z) / z, which is 1 at 0."""
    return np.sinc(z / np.pi)


def sinc_slope(z: Array, f: Array) -> Array:
    """(cos z - sin(z)/z) / z; below 0.05, where digits cancel, its series -z/3 + z^3/30 - z^5/840."""
    square = z * z
    series = -z * (1 / 3 - square * (1 / 30 - square * (1 / 840 - square / 45360)))
    return np.where(np.abs(z) < 0.05, series, (np.cos(z) - f) / np.where(z == 0, 1, z))


def bernoulli(z: Array) -> Array:
    """z / (exp(z) - 1), which is 1 at 0."""
    return np.where(z == 0, 1.0, z / np.where(z == 0, 1, np.expm1(z)))


def langevin(z: Array) -> Array:
    """coth(z) - 1/z; below 0.05 its series z/3 - z^3/45 + 2 z^5/945 - z^7/4725."""
    square = z * z
    series = z * (1 / 3 - square * (1 / 45 - square * (2 / 945 - square / 4725)))
    safe = np.where(z == 0, 1, z)
    return np.where(np.abs(z) < 0.05, series, 1 / np.tanh(safe) - 1 / safe)


def langevin_slope(z: Array, f: Array) -> Array:
    """1/z^2 - 1/sinh(z)^2 = 1 - f^2 - 2 f/z, which does not overflow."""
    square = z * z
    series = 1 / 3 - square * (1 / 15 - square * (2 / 189 - square / 675))
    safe = np.where(z == 0, 1, z)
    return np.where(np.abs(z) < 0.05, series, 1 - f * f - 2 * f / safe)


def times_log(f: Array, z: Array) -> Array:
    """f*log(z), and 0 where f is 0: the derivative of z^p by p."""
    return np.where(f == 0, 0.0, f * np.log(np.where(z == 0, 1, z)))


def power_slope(z: Array, p: float) -> Array:
    """p*z^(p-1)."""
    return p * np.power(z, p - 1)
