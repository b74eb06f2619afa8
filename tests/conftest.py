"""What every test shares: one thread for linear algebra, and a spoken reason for each test that this machine cannot run."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import settings

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")       # before NumPy is imported: the tests' matrices are small, and two cores are soon oversubscribed

# No deadlines: a busy machine makes no code wrong. A gate says the same of the same commit; elsewhere every run looks somewhere new.
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
