"""The kernels on a GPU: against the copy bandwidth of the same run, published kernels, and plain torch.

    python -m benchmarks.gpu [--peers DIR]          all rows; the table is written to benchmarks/GPU.md

DIR holds checkouts of the peers, in folders of any name: github.com/OSU-STARLAB/FlashKAT (its file flash_rational_triton.py) and
github.com/Adamdad/rational_kat_cu (kat_rational/rational_triton.py). They run as what they are: Python that a person named. What is not given is not
measured, and neither is anything without a GPU. Before anything is timed, float64 results of the GPU must have the bits of the CPU run of the same text.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import math
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from benchmarks.results import table
from benchmarks.timing import Bench, Row

if TYPE_CHECKING:
    import torch

    from workbench.ops.device import Device

RESULTS = Path(__file__).with_name("GPU.md")
FLASH, KAT = "FlashKAT, Triton", "the original KAT kernel, Triton"
FILES = {FLASH: "**/flash_rational_triton.py", KAT: "**/kat_rational/rational_triton.py"}
COPY, TORCH = "copying as many bytes", "plain torch on the GPU, float32"
GROUPS, ROWS, LAYER = 8, (1024, 197), (64, 65_536)  # groups of channels; leading axes; nodes on either side and rows of a layer
_SAMPLE_SECONDS = 0.02


def _backward(channels: int, dtype: str) -> str:
    return f"backward of a group rational {(*ROWS, channels)}, {GROUPS} groups, {dtype}"


# what, then how it is measured: see `_measured`
PLAN = [
    Row(_backward(768, "float32"), 0.85, 0.92, peer=COPY),
    Row(_backward(768, "bfloat16"), 0.70, 0.85, peer=COPY),
    Row(_backward(768, "float32"), 1.1, 1.6, peer=FLASH),
    Row(_backward(192, "float32"), 2.0, 2.5, peer=FLASH),
    Row(_backward(768, "float32"), 100.0, 500.0, peer=KAT),
    Row(f"forward+backward of a per-edge rational layer 64->64, {LAYER[1]} rows, float32", 3.0, 8.0, peer=TORCH),
    Row(f"forward+backward of a spline layer 64->64, 8 bases, {LAYER[1]} rows, float32", 3.0, 8.0, peer="efficient-kan formulation, torch float32"),
    Row(f"error of the coefficient gradients, {(*ROWS, 768)}, float32 against float64", 10.0, 100.0, peer=FLASH, unit=""),
]


def rows(bench: Bench) -> list[Row]:
    """Every row, or why it was not measured."""
    from workbench.exceptions import MissingEngineError
    from workbench.ops import cuda

    try:
        device = cuda.device(0)
    except MissingEngineError as error:
        return [replace(row, note=str(error)) for row in PLAN]
    bench.say(check_bits(device))
    made = []
    for row, measure in zip(PLAN, _measured(bench, "cuda"), strict=True):
        made.append(_filled(row, measure))
        bench.say(f"{row.what}, {row.peer}: " + (f"{made[-1].ratio:.2f}x" if made[-1].ratio else made[-1].note))
    return made


def _filled(row: Row, measure: Callable[[], tuple] | None) -> Row:
    """Return a row with what was measured, or why it was not."""
    import torch

    if measure is None:
        return replace(row, note="peer not given")
    try:
        ours, theirs = measure()
    except torch.OutOfMemoryError:
        return replace(row, note="this GPU has too little memory for the peer")
    finally:
        torch.cuda.empty_cache()
    return replace(row, ours=ours, theirs=theirs, note=f"copying at {_moved(row) / statistics.median(theirs) / 1e9:.0f} GB/s" if row.peer == COPY else "")


def _moved(row: Row) -> int:
    """Return the bytes that a backward pass at D = 768 moves: x and dL/dy in, dL/dx out."""
    return 3 * math.prod(ROWS) * 768 * (2 if "bfloat16" in row.what else 4)


def _measured(bench: Bench, place: str) -> list[Callable[[], tuple] | None]:
    """Return how every row of the plan is measured, in its order; None where its peer was not given."""
    import torch

    found = {name: peer_at(bench.peers, name) for name in FILES}

    def against(name: str, channels: int) -> Callable[[], tuple] | None:
        module = found[name]
        return module and (lambda: both(backward_sides(name, module, (*ROWS, channels), place), bench.rounds if name == FLASH else 3))

    shape = (*ROWS, 768)
    return [
        lambda: beside_copying(shape, torch.float32, place, bench.rounds),
        lambda: beside_copying(shape, torch.bfloat16, place, bench.rounds),
        against(FLASH, 768),
        against(FLASH, 192),
        against(KAT, 768),
        lambda: both(rational_sides(*LAYER, place), bench.rounds),
        lambda: both(spline_sides(*LAYER, place), bench.rounds),
        found[FLASH] and (lambda: errors(found[FLASH], shape, place)),
    ]


def peer_at(folder: Path | None, name: str) -> ModuleType | None:
    """Return the module of a peer below a folder, or None where it is not there."""
    path = next(iter(sorted(folder.glob(FILES[name]))), None) if folder else None
    if path is None:
        return None
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -------------------------------------------------------------------------------------------------------------- sides


def group_tensors(shape: tuple[int, ...], dtype: torch.dtype, place: str) -> list[torch.Tensor]:
    """Return x, numerator, denominator and a gradient from above."""
    import torch

    generator = torch.Generator(place).manual_seed(0)
    shapes, kinds = (shape, (GROUPS, 6), (GROUPS, 4), shape), (dtype, torch.float32, torch.float32, dtype)
    return [torch.randn(shape, generator=generator, device=place, dtype=torch.float32).to(kind) for shape, kind in zip(shapes, kinds, strict=True)]


def our_backward(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, upstream: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the gradients of our kernels, in the form of the published ones."""
    from workbench.ops.engines import ENGINES

    return ENGINES["cuda" if x.is_cuda else "cpu"].backward("group", (x, a, b), "sum_abs", upstream)


def their_backward(name: str, module: ModuleType, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, upstream: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the gradients of a peer's kernels."""
    return module.rational_bwd_triton(upstream, x, a, b, *(() if name == FLASH else (GROUPS,)))


def backward_sides(name: str, module: ModuleType, shape: tuple[int, ...], place: str) -> dict[str, Callable[[], tuple]]:
    """Return our backward pass and a peer's on the same tensors."""
    import torch

    given = group_tensors(shape, torch.float32, place)
    return {"ours": lambda: our_backward(*given), "peer": lambda: their_backward(name, module, *given)}


def rational_sides(nodes: int, n_rows: int, place: str) -> dict[str, Callable[[], tuple]]:
    """Return a pass of a layer of rational edges, by our kernels and by Horner's rule in torch."""
    import torch

    from benchmarks import horner
    from workbench.ops.autograd import edge_rational

    generator = torch.Generator(place).manual_seed(0)
    shapes = (nodes, n_rows), (6, nodes, nodes), (4, nodes, nodes), (nodes, n_rows)
    *learned, upstream = (torch.randn(shape, generator=generator, device=place) for shape in shapes)
    learned = [tensor.requires_grad_() for tensor in learned]
    return {
        "ours": lambda: _pass(edge_rational(*learned, form="square"), learned, upstream),
        "peer": lambda: _pass(horner.edge_rational(*learned), learned, upstream),
    }


def spline_sides(nodes: int, n_rows: int, place: str) -> dict[str, Callable[[], tuple]]:
    """Return a pass of a spline layer, by our kernels and in the usual torch formulation; each has the layout it is made for."""
    import torch

    from benchmarks.efficient_kan import EfficientKANLayer
    from workbench.ops.autograd import edge_spline

    generator = torch.Generator(place).manual_seed(0)
    x = 2 * torch.rand(nodes, n_rows, generator=generator, device=place) - 1
    c, w, upstream = (torch.randn(shape, generator=generator, device=place) for shape in ((8, nodes, nodes), (nodes, nodes), (nodes, n_rows)))
    domain = torch.tensor([[-1.0, 1.0]] * nodes, device=place)
    peer, x_rows, upstream_rows = EfficientKANLayer(c, w).to(place), x.T.contiguous().requires_grad_(), upstream.T.contiguous()
    learned = [tensor.requires_grad_() for tensor in (x, c, w)]
    return {
        "ours": lambda: _pass(edge_spline(*learned, domain), learned, upstream),
        "peer": lambda: _pass(peer(x_rows), [x_rows, peer.spline_weight, peer.base_weight], upstream_rows),
    }


def _pass(y: torch.Tensor, learned: list[torch.Tensor], upstream: torch.Tensor) -> tuple[torch.Tensor, ...]:
    import torch

    return y.detach(), *torch.autograd.grad(y, learned, upstream)


# ------------------------------------------------------------------------------------------------------------ measuring


def beside_copying(shape: tuple[int, ...], dtype: torch.dtype, place: str, rounds: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return seconds of our backward pass, and of a copy scaled to the bytes it must move: x and dL/dy in, dL/dx out."""
    import torch

    given = group_tensors(shape, dtype, place)
    source, to = torch.empty_like(given[0]), torch.empty_like(given[0])
    ours, copies = both({"ours": lambda: our_backward(*given), "peer": lambda: to.copy_(source)}, rounds)
    return ours, tuple(1.5 * seconds for seconds in copies)  # a copy moves two numbers for one, we move three


def errors(module: ModuleType, shape: tuple[int, ...], place: str) -> tuple[tuple[float], tuple[float]]:
    """Return how far the coefficient gradients of float32 inputs are from float64's, ours and FlashKAT's: worst of all, relative to the largest."""
    import torch

    given = group_tensors(shape, torch.float32, place)
    truth = our_backward(*(tensor.double() for tensor in given))[1:]
    found = our_backward(*given)[1:], their_backward(FLASH, module, *given)[1:]
    ours, theirs = (max(float((mine.double() - exact).abs().max() / exact.abs().max()) for mine, exact in zip(side, truth, strict=True)) for side in found)
    return (ours,), (theirs,)


def both(sides: dict[str, Callable[[], object]], rounds: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Time both sides in turn by events of the device; seconds of a call."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    repeats = {}
    for name, call in sides.items():
        call()  # compiles
        repeats[name] = max(1, round(_SAMPLE_SECONDS / max(_timed(call, 1), 1e-6)))
    for _ in range(rounds):
        for name, call in sides.items():
            taken[name].append(_timed(call, repeats[name]))
    return tuple(taken["ours"]), tuple(taken["peer"])


def _timed(call: Callable[[], object], repeats: int) -> float:
    import time

    import torch

    if not torch.cuda.is_available():
        began = time.perf_counter()
        for _ in range(repeats):
            call()
        return (time.perf_counter() - began) / repeats
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(repeats):
        call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1e3 / repeats


# ------------------------------------------------------------------------------------------------------------- the check


def check_bits(device: Device) -> str:
    """Compare float64 results of a device with the CPU run of the same text.

    Raises
    ------
    AssertionError : they differ; no time is worth anything then
    """
    from tests.kernels.shim import COMPILER, ShimDevice

    if COMPILER is None:
        return "float64 bits were not compared: no g++ here to run the same text on the CPU"
    with tempfile.TemporaryDirectory() as folder:
        cpu = ShimDevice(Path(folder))
        cpu.multiprocessors = device.multiprocessors
        for op in ("group", "edge", "spline"):
            for mine, theirs in zip(*_results(op, device, cpu), strict=True):
                assert (mine.cpu() == theirs).all(), f"{op}: float64 bits of the GPU differ from those of the CPU run of the same text"
    return "float64 bits equal those of the CPU run of the same text"


def _results(op: str, device: Device, cpu: Device) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    import torch

    from workbench.ops.engines import DeviceEngine

    generator = torch.Generator().manual_seed(1)
    shapes = {
        "group": [(67, 96), (8, 6), (8, 4), (67, 96)],
        "edge": [(5, 611), (6, 7, 5), (4, 7, 5), (7, 611)],
        "spline": [(5, 611), (13, 7, 5), (7, 5), (7, 611)],
    }[op]
    *learned, upstream = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    if op == "spline":
        learned.append(torch.tensor([[-2.0, 2.0]] * 5, dtype=torch.float64))
    form, made = "" if op == "spline" else "square", []
    for runner in (device, cpu):
        place = "cpu" if runner is cpu or not torch.cuda.is_available() else "cuda"
        given, above = [tensor.to(place) for tensor in learned], upstream.to(place)
        engine = DeviceEngine(lambda x, runner=runner: runner)
        made.append([engine.forward(op, given, form), *engine.backward(op, given, form, above)])
    return made[0], made[1]


# ------------------------------------------------------------------------------------------------------------- the table


def to_markdown(made: list[Row]) -> str:
    """Return the whole file."""
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
    lines = [
        "# Speed on a GPU",
        "",
        "Written by `python -m benchmarks.gpu`. Seconds are median (minimum) over samples taken in turn, by events of the device; a ratio is the median over pairs, peer / ours.",
        "",
        *table(made),
        "",
        f"Device: {device}; torch {torch.__version__}, Python {sys.version.split()[0]}.",
        "",
        f"Date: {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure what can be measured here, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="The kernels on a GPU, against their peers in the same run.")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="folder with checkouts of FlashKAT and rational_kat_cu")
    parser.add_argument("--rounds", type=int, default=15, help="samples of every comparison (default 15)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the table is written")
    options = parser.parse_args()
    text = to_markdown(rows(Bench(options.rounds, peers=options.peers, say=lambda words: print(f"  {words}", flush=True))))
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
