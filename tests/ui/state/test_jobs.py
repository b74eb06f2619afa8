"""What is said about long work, and for how long."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.exceptions import JobError, TableError
from workbench.jobs import Job
from workbench.ui.services import Services
from workbench.ui.state.jobs import FRESH, Jobs, age

NOW = 1_000_000.0


@pytest.fixture
def project(opened: Services) -> str:
    return opened.store.projects.create("Trees").id


def record(opened: Services, project: str, status: str, name: str = "j", when: float = NOW, task: str = "discovery.fit", progress: float = 0.0) -> None:
    opened.store.jobs.record(Job(name, project, task, "batch", status, progress, "descending", None, when, when))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("status", "text", "running"),
    [
        ("queued", "Fitting: waiting for its turn", True),
        ("running", "Fitting 43 %", True),
        ("paused", "Fit paused at 43 %", True),
        ("done", "Fit finished just now", False),
        ("failed", "Fit failed just now", False),
        ("interrupted", "Fit was interrupted just now", False),
    ],
)
def test_the_pill_says_how_a_job_stands(opened, project, status, text, running):
    record(opened, project, status, progress=0.43)
    pill = Jobs(opened).pill(project, NOW + 5)
    assert (pill.text, pill.running) == (text, running)


def test_what_succeeded_is_news_for_a_while_and_what_did_not_stays(opened, project):
    record(opened, project, "done")
    assert Jobs(opened).pill(project, NOW + FRESH - 1).text == "Fit finished 9 min ago"
    assert Jobs(opened).pill(project, NOW + FRESH + 1) is None
    record(opened, project, "failed", "later", NOW + 1)
    assert Jobs(opened).pill(project, NOW + 10 * FRESH).text == "Fit failed 1 h ago"
    record(opened, project, "cancelled", "stopped", NOW + 2)
    assert Jobs(opened).pill(project, NOW + 3) is None


def test_what_runs_comes_before_what_ended_and_before_what_waits(opened, project):
    record(opened, project, "running", "first")
    record(opened, project, "queued", "second", NOW + 1)
    record(opened, project, "failed", "third", NOW + 2)
    assert Jobs(opened).latest(project).id == "first"


def test_a_job_is_shown_from_the_moment_it_is_handed_in(opened, project, monkeypatch):
    monkeypatch.setattr(opened.store.jobs, "all", lambda project=None: ())     # a busy scheduler has not written it down yet
    job = Jobs(opened).submit(project, "discovery.fit")
    assert Jobs(opened).running(project).id == job.id
    assert Jobs(opened).pill(project) is not None
    assert Jobs(opened).elsewhere("another project").text.startswith("Trees: ")


def test_short_questions_are_not_followed(opened, project):
    record(opened, project, "running", task="discovery.inspect")
    assert Jobs(opened).pill(project, NOW) is None


def test_work_for_another_project_is_shown_under_its_name(opened, project):
    record(opened, project, "running", progress=0.5)
    other = opened.store.projects.create("Other").id
    assert Jobs(opened).elsewhere(other, NOW).text == "Trees: Fitting 50 %"
    assert Jobs(opened).elsewhere(project, NOW) is None


def test_a_task_gets_the_workspace_and_the_project(opened, project):
    job = Jobs(opened).submit(project, "echo", {"x": 1}, lane="interactive")
    assert opened.pool.wait(job.id, 30).value == {"workspace": str(opened.store.path), "project": project, "x": 1}
    assert opened.store.jobs.all(project)[0].id == job.id


def test_a_question_raises_what_the_task_raised(opened):
    with pytest.raises(TableError, match="'x.csv' is empty"):
        Jobs(opened).ask("table.read", {"name": "x.csv"}, {"file": np.zeros(0, np.uint8)})
    with pytest.raises(JobError, match="no task"):
        Jobs(opened).ask("nothing", {})


def test_stopping_what_nobody_remembers_does_nothing(opened):
    Jobs(opened).stop("gone")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "just now"), (59, "just now"), (61, "1 min ago"), (7200, "2 h ago"), (90_000, "yesterday"), (20 * 86400, "20 days ago")],
)
def test_ages_are_in_words(seconds, words):
    assert age(NOW, NOW + seconds) == words


def test_an_old_age_is_a_date():
    assert age(NOW, NOW + 400 * 86400).endswith("1970")
