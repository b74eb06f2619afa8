"""The engines that the contracts of the ops run on: Numba, the torch reference, the CUDA texts on this CPU, and on a GPU where there is one."""

from __future__ import annotations

import pytest

from workbench.ops import engines


@pytest.fixture(params=["reference", "cpu", "shim", pytest.param("cuda", marks=pytest.mark.gpu)])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an engine; the shim is one for the time of a test."""
    if request.param == "shim":
        device = request.getfixturevalue("shim_device")
        monkeypatch.setitem(engines.ENGINES, "shim", engines.DeviceEngine(lambda x: device))
    return request.param
