"""What every test shares: one thread for linear algebra, and a spoken reason for each test that this machine cannot run."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernels.shim import ShimDevice

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")       # before NumPy is imported: the tests' matrices are small, and two cores are soon oversubscribed

try:
    from hypothesis import settings
except ImportError:     # a GPU machine without the test extra: what can be imported there are the contracts of the kernels
    _tests = Path(__file__).parent
    collect_ignore = [path for path in _tests.iterdir() if path.name not in {"ops", "conftest.py"}]
    collect_ignore += [path for path in (_tests / "ops").glob("*.py") if path.name not in {"conftest.py", "test_engines.py", "test_spline_engines.py"}]
else:       # No deadlines: a busy machine makes no code wrong. A gate says the same of the same commit; elsewhere every run looks somewhere new.
    settings.register_profile("anywhere", deadline=None)
    settings.register_profile("ci", deadline=None, derandomize=True)
    settings.load_profile("ci" if os.environ.get("CI") else "anywhere")

CHROMIUM_VARIABLE = "KAN_WORKBENCH_CHROMIUM"


def chromium() -> str | None:
    """Return the path of a Chromium to drive, or None."""
    candidates = [os.environ.get(CHROMIUM_VARIABLE), "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def _gpu() -> bool:
    return shutil.which("nvidia-smi") is not None and importlib.util.find_spec("cupy") is not None


NEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "browser": (chromium, f"no Chromium here: install Debian's package chromium, or name one in {CHROMIUM_VARIABLE}"),
    "gpu": (_gpu, "no NVIDIA GPU with CuPy here: pip install 'kan-workbench[cuda13]' on a machine that has one"),
    "julia": (lambda: shutil.which("julia"), "no Julia here: install it, or type kan-workbench doctor --install pysr"),
}


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the Chromium that browser tests launch; they carry the mark `browser`, so it is there."""
    path = chromium()
    assert path is not None
    return path


@pytest.fixture(scope="session")
def shim_device(tmp_path_factory: pytest.TempPathFactory) -> ShimDevice:
    """Return the device that runs the CUDA text on this CPU."""
    from tests.kernels.shim import COMPILER, ShimDevice  # torch comes with it, which few tests need

    if COMPILER is None:
        pytest.skip("no g++ here to compile the CUDA text for this CPU: install Debian's package g++")
    return ShimDevice(tmp_path_factory.mktemp("shim"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, saying why. Under CI a missing browser is a failure: there the set-up should have brought it.

    Browser tests come last: Playwright keeps an event loop running in this thread, and no test behind it could run one of its own.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    for mark, (available, reason) in NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(mark)]
        if not marked or available() or (mark == "browser" and os.environ.get("CI")):
            continue
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=reason))
