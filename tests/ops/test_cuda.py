"""What a person is told where the engine "cuda" cannot work; none of it needs a GPU."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace

import pytest
import torch

from workbench.exceptions import MissingEngineError
from workbench.ops import cuda, device, engines
from workbench.ops.launch import Unit
from workbench.ops.spline_launch import SplineUnit


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Remember no device and no choice, from before or for later."""
    remembered = cuda.device, engines._choice, engines._say_once
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch see a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(multi_processor_count=132))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    monkeypatch.setattr(torch.version, "cuda", "13.0")


class CompileException(Exception):
    """As CuPy's."""


def cupy(monkeypatch: pytest.MonkeyPatch, driver: int | Exception = 13000, runtime: int = 13000, compiles: Exception | None = None) -> SimpleNamespace:
    """Put a CuPy in the place of the real one; what is returned holds what it `compiled` and `launched`, and `fails` with while that is set."""
    seen = SimpleNamespace(compiled=[], launched=[], fails=compiles)

    def version(answer: int | Exception) -> int:
        if isinstance(answer, Exception):
            raise answer
        return answer

    def raw_module(code: str, options: tuple[str, ...], backend: str) -> SimpleNamespace:
        def compile_() -> None:
            if seen.fails is not None:
                raise seen.fails
            seen.compiled.append((code, options, backend))

        def get_function(name: str) -> Callable[..., None]:
            return lambda grid, block, arguments, stream: seen.launched.append((name, grid, block, arguments, stream.ptr))

        return SimpleNamespace(compile=compile_, get_function=get_function)

    module = ModuleType("cupy")
    module.__version__ = "14.2.0"
    module.RawModule = raw_module
    runtime_ = SimpleNamespace(driverGetVersion=lambda: version(driver), runtimeGetVersion=lambda: runtime)
    module.cuda = SimpleNamespace(runtime=runtime_, compiler=SimpleNamespace(CompileException=CompileException))
    monkeypatch.setitem(sys.modules, "cupy", module)
    return seen


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(MissingEngineError, match="needs a GPU: this torch is built for CPUs. Take engine='cpu'"):
        cuda.device(0)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    with pytest.raises(MissingEngineError, match=r"no NVIDIA GPU with a driver that works was found \(try nvidia-smi\)"):
        cuda.device(0)


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("torch_cuda", "extra"), [("12.8", "cuda12"), ("13.0", "cuda13")])
def test_without_cupy_it_names_the_one_that_suits_torch(monkeypatch: pytest.MonkeyPatch, torch_cuda: str, extra: str) -> None:
    monkeypatch.setattr(torch.version, "cuda", torch_cuda)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(MissingEngineError, match=rf"needs CuPy, which cannot be imported .*: pip install 'kan-workbench\[{extra}\]'"):
        cuda.device(0)


@pytest.mark.usefixtures("gpu")
def test_a_driver_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy(monkeypatch, driver=RuntimeError("cudaErrorInsufficientDriver: driver is insufficient.\nmore"))
    with pytest.raises(MissingEngineError, match=r"cannot reach the CUDA driver \(cudaErrorInsufficientDriver: driver is insufficient\). Try nvidia-smi"):
        cuda.device(0)


@pytest.mark.usefixtures("gpu")
def test_a_cupy_for_a_newer_cuda_than_the_driver_is_to_be_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy(monkeypatch, driver=12040, runtime=13000)
    words = r"made for CUDA 13, the driver here goes up to CUDA 12.4: pip uninstall cupy-cuda13x, then pip install 'kan-workbench\[cuda12\]'"
    with pytest.raises(MissingEngineError, match=words):
        cuda.device(0)


@pytest.mark.usefixtures("gpu")
def test_a_newer_driver_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy(monkeypatch, driver=13010, runtime=12090)
    assert cuda.device(0).multiprocessors == 132


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("fault", [CompileException("error: unknown architecture\nsecond line"), OSError("libnvrtc.so.13: cannot open")])
def test_a_compiler_that_fails_is_quoted_with_its_first_line(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    cupy(monkeypatch, compiles=fault)
    with pytest.raises(MissingEngineError, match=f"cannot compile the kernels for a GPU: {str(fault).splitlines()[0]}. If its NVRTC is missing"):
        cuda.device(0)._module(Unit(torch.float32, "square", 5, 4))


UNITS = {"rational.cu": Unit(torch.bfloat16, "square", 5, 4), "spline.cu": SplineUnit(torch.bfloat16)}


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("text", UNITS)
def test_a_text_is_compiled_once_and_launched_on_the_stream_of_torch(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    seen = cupy(monkeypatch)
    monkeypatch.setattr(torch.cuda, "device", lambda index: nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda index: SimpleNamespace(cuda_stream=0x5EED))
    for kernel in ("first", "second"):
        cuda.device(0).launch(UNITS[text], kernel, (3, 2), (256,), (1, 2**40))
    assert seen.launched == [(kernel, (3, 2), (256,), (1, 2**40), 0x5EED) for kernel in ("first", "second")]
    [(code, options, backend)] = seen.compiled
    assert backend == "nvrtc"
    assert code == device.source(text)
    assert "#include" not in code
    assert {"-std=c++17", "--fmad=false", "-DNUMBER_TYPE=bf16"} <= set(options)


@pytest.mark.usefixtures("gpu")
def test_a_compilation_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = cupy(monkeypatch, compiles=CompileException("error: no space left"))
    with pytest.raises(MissingEngineError, match="no space left"):
        cuda.device(0)._module(UNITS["spline.cu"])
    seen.fails = None
    cuda.device(0)._module(UNITS["spline.cu"])
    assert len(seen.compiled) == 1


@pytest.mark.usefixtures("gpu")
def test_auto_takes_the_gpu_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy(monkeypatch)
    assert engines.choose("cuda", 0) == "cuda"


@pytest.mark.usefixtures("gpu")
def test_auto_warns_once_where_it_falls_back(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert [engines.choose("cuda", 0) for _ in range(3)] == ["reference"] * 3
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "engine='auto' took 'reference', which is slow, for tensors on cuda. engine='cuda' needs CuPy" in record.message


def test_a_package_without_its_source_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "__file__", "nowhere/workbench/ops/device.py")
    device.source.cache_clear()
    with pytest.raises(device.NetworkError, match="rational.cu is not there"):
        device.source("rational.cu")
    device.source.cache_clear()
