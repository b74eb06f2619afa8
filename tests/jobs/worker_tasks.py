"""Tasks for the tests of workers: some behave, most do not. Loaded by `WorkerPool(task_files=[...])`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np

from workbench.exceptions import TableError
from workbench.worker import Result, task


class PrivateTableError(TableError):
    """A subclass that the server has never heard of."""


@task("sleep")
def sleep(arguments, arrays, context):
    steps = round(arguments["seconds"] / 0.01)
    for step in range(steps):
        context.check()
        context.progress(step / steps, f"step {step}", {"step": step})
        time.sleep(0.01)
    return steps


@task("deaf to the message")
def deaf_to_the_message(arguments, arrays, context):
    context.progress(0.5, "not listening")
    time.sleep(60)


@task("deaf to SIGTERM")
def deaf_to_sigterm(arguments, arrays, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    context.progress(0.5, "not listening")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.05)


@task("notice late")
def notice_late(arguments, arrays, context):
    while not context.cancelled():
        time.sleep(0.005)
    return "finished all the same"


@task("raise")
def raise_error(arguments, arrays, context):
    raise {"table": TableError, "private": PrivateTableError, "fault": ZeroDivisionError}[arguments["kind"]](arguments["sentence"])


@task("die")
def die(arguments, arrays, context):
    if "code" in arguments:
        os._exit(arguments["code"])
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)


@task("chatter")
def chatter(arguments, arrays, context):
    print("{this is not a message}")  # noqa: T201  it is the point of this task
    os.write(1, b"\x00 nor this\n")
    listener = subprocess.run([sys.executable, "-c", "import sys; print(len(sys.stdin.read()))"], check=True)
    return listener.returncode


@task("allocate", memory=256 * 2**20)
def allocate(arguments, arrays, context):
    return int(np.ones(arguments["megabytes"] * 2**17).sum())


@task("slow", seconds=0.3)
def slow(arguments, arrays, context):
    return sleep({"seconds": 30}, arrays, context)


@task("not JSON")
def not_json(arguments, arrays, context):
    return {"value": object()}


@task("numbers")
def numbers(arguments, arrays, context):
    context.progress(float("nan") if arguments.get("lost") else 1.5, "beyond", {"loss": float("nan"), "best": np.float64(0.25)})
    return Result({"mean": arrays["x"].mean(), "n": np.int64(arrays["x"].size)}, {"twice": 2 * arrays["x"].T})


@task("frames")
def frames(arguments, arrays, context):
    drawn = []
    for number in range(arguments["n"]):
        context.progress(number / arguments["n"], payload=lambda number=number: drawn.append(number) or {"frame": number})
    return arguments["n"], len(drawn)


@task("surroundings")
def surroundings(arguments, arrays, context):
    return {
        "pid": os.getpid(), "niceness": os.getpriority(os.PRIO_PROCESS, 0), "leader": os.getsid(0) == os.getpid(),
        "threads": os.environ["OMP_NUM_THREADS"], "numba": "workbench.training" in sys.modules,
    }  # fmt: skip


@task("start a program")
def start_a_program(arguments, arrays, context):
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    context.progress(0.5, "started", {"pid": program.pid})
    time.sleep(60)


@task("walk")
def walk(arguments, arrays, context):
    """Take steps of three moves each, resting after every move; tell where it is only when it comes to rest."""
    for move in range(arguments["moves"]):
        time.sleep(arguments.get("seconds", 0.002))
        if context.rest((move + 1) // 3, lambda move=move: context.progress(move / arguments["moves"], f"move {move + 1}", {"move": move + 1})):
            return {"kept": move + 1}
    return {"walked": arguments["moves"]}
