"""How kernels are compiled: Numba, serial, without the GIL, kept on disk in a folder of the user's own.

Compiling all kernels of a fit takes seconds, reading them back a fraction of one. They are kept per user and not beside the sources, so that a
package installed by somebody else, or on a read-only disk, starts as fast. The folder is named after the sources: Numba looks at the file
a kernel stands in, not at those it calls. What Numba keeps is a pickle; the folder is readable by its owner alone.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

# Sums may be reordered and a*b + c fused, which vector code needs; NaN and infinity keep their meaning.
FINITE_OR_NOT = frozenset({"reassoc", "contract", "nsz", "arcp"})


@functools.cache
def kernel_folder() -> str | None:
    """Return the folder that compiled kernels are kept in, or None where this user can write none."""
    try:
        import platformdirs
    except ImportError:  # a bare GPU machine that runs the contracts of the kernels
        return None
    sources = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    folder = platformdirs.user_cache_path("kan-workbench", appauthor=False) / "kernels" / sources.hexdigest()[:16]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder) if os.access(folder, os.W_OK) else None


def kernel(fastmath: bool | frozenset[str] = True) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator of a kernel.

    Parameters
    ----------
    fastmath : True where every number is finite, FINITE_OR_NOT where NaN must come out as NaN

    Notes
    -----
    A user's own NUMBA_CACHE_DIR is respected, and Numba's setting is left as it was: other people's functions stay where they are. Where
    nothing can be written the kernels are compiled anew in every process.
    """
    options = {"fastmath": fastmath if isinstance(fastmath, bool) else set(fastmath), "error_model": "numpy", "nogil": True, "boundscheck": False}

    def compiled(function: Callable[..., Any]) -> Any:
        theirs = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = theirs or kernel_folder() or ""
        try:
            return numba.njit(**options, cache=True)(function)
        except RuntimeError:  # Numba: "no locator available", no folder can be written
            return numba.njit(**options)(function)
        finally:
            numba.config.CACHE_DIR = theirs

    return compiled
