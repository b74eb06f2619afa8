"""Where a primitive is defined, asked of whole ranges of z = a x + b.

A form is used between and slightly beyond the data, so a pole or a branch point must not touch the range: where b was searched, the range
keeps a thousandth of its width away from it. Where b is zero the law itself says where it ends, and data may come as near as they like.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.exceptions import SnapError, did_you_mean

_MARGIN = 1e-3

# Each rule takes the least z, the largest z and the gap to keep, all (n,).
_RULES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "any": lambda low, high, gap: low <= high,
    "positive": lambda low, high, gap: low > gap,
    "nonnegative": lambda low, high, gap: low >= gap,
    "nonzero": lambda low, high, gap: (low > gap) | (high < -gap),
    "above_one": lambda low, high, gap: low >= 1.0 + gap,
    "above_minus_one": lambda low, high, gap: low > gap - 1.0,
    "unit": lambda low, high, gap: (low >= -1.0) & (high <= 1.0),
    "tan": lambda low, high, gap: (low > gap - 0.5 * np.pi) & (high < 0.5 * np.pi - gap),
}


def holds(domain: str, low: np.ndarray, high: np.ndarray, searched: np.ndarray) -> np.ndarray:
    """Say for every range [low, high] whether a primitive of this domain may be used on all of it, (n,) bool.

    Parameters
    ----------
    domain : name of a rule
    low, high : (n,)     least and largest z
    searched : (n,)     whether b was searched: then the margin is kept
    """
    try:
        rule = _RULES[domain]
    except KeyError:
        raise SnapError(f"No rule for the domain {domain!r}.{did_you_mean(domain, _RULES)} Known: {', '.join(_RULES)}.") from None
    width = high - low
    return np.isfinite(width) & rule(low, high, np.where(searched, _MARGIN * width, 0.0))
