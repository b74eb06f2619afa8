"""Every page, run without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.ui import services as services_module
from workbench.ui.server import SCRIPT

PATIENCE = 60.0  # seconds: the first run imports Streamlit's elements


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv(services_module.WORKSPACE_VARIABLE, str(tmp_path))
    yield AppTest.from_file(str(SCRIPT), default_timeout=PATIENCE)
    services_module.close_services()


def texts(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.text, app.caption, app.info, app.subheader) for element in kind)


def test_an_empty_workspace_says_that_nothing_leaves_the_machine(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert "stays on this machine" in texts(app)


def test_projects_are_listed_under_their_names_as_they_were_typed(app: AppTest) -> None:
    name = "**trees** :red[x] $y$"
    services_module.services().store.projects.create(name)
    app.run()
    assert not app.exception
    assert [element.value for element in app.text] == [name]
