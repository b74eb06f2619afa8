"""A worker process: where fits, searches and foreign files are dealt with, away from the page.

`python -m workbench.worker` is started by `workbench.jobs.WorkerPool`, speaks through its pipes and ends with its
server. What it can do are its tasks; "discovery.fit" is in `workbench/worker/tasks/discovery.py`:

    from workbench.worker import Context, task

    @task("discovery.fit")
    def fit(arguments: Arguments, arrays: Arrays, context: Context) -> Result:
        from workbench.discovery import Discovery                      # heavy imports inside: a worker starts at once
        for report in ...:
            context.check()                                            # a person may have pressed Stop
            context.progress(report.fraction, report.text, lambda: report.drawing())
            if context.rest(report.step):                              # or Pause: it waits; or Stop and keep: it ends
                break
        return Result({"r2": ...}, {"coefficients": ...})

A task returns JSON, or a `Result` where arrays go with it. A WorkbenchError it raises reaches the person word for word;
any other exception is a fault of ours and goes to the log.
"""

from workbench.jobs import Result
from workbench.worker.context import Context
from workbench.worker.registry import Arguments, Arrays, Task, task
from workbench.worker.wishes import Wishes

__all__ = ["Arguments", "Arrays", "Context", "Result", "Task", "Wishes", "task"]
