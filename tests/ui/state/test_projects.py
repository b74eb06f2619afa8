"""Files and samples become projects, whole or not at all; cards say what a project holds, whatever stands in it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest

import workbench as wb
from workbench.exceptions import ProjectError, TableError, WorkbenchError
from workbench.store import Draft, SourceFile
from workbench.ui.services import Services
from workbench.ui.state.data import Preparation
from workbench.ui.state.projects import Projects, file_name, sentence

CSV = "t (s),s\n" + "\n".join(f"{k},{k * k}" for k in range(1, 12))


@pytest.fixture
def projects(opened: Services) -> Projects:
    return Projects(opened)


def frame() -> pd.DataFrame:
    return pd.DataFrame({"t": np.arange(1.0, 12.0), "s": np.arange(1.0, 12.0) ** 2})


def as_file(kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "parquet":
        frame().to_parquet(out)
    elif kind == "json":
        out.write(frame().to_json(orient="records").encode())
    elif kind == "npz":
        np.savez(out, t=frame()["t"], s=frame()["s"])
    elif kind == "xlsx":
        frame().to_excel(out, index=False)
    else:
        out.write(frame().to_csv(index=False, sep="\t" if kind == "tsv" else ",").encode())
    return out.getvalue()


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx", "parquet", "json", "npz"])
def test_a_table_of_every_kind_becomes_a_project_with_roles(projects, opened, kind):
    project = projects.open_file(f"fall.{kind}", as_file(kind))
    assert opened.store.projects.get(project).name == "fall"
    data = Preparation(opened, project)
    assert dict(data.plan.roles) == {"t": "input", "s": "target"}
    assert data.outlook().title == "s from t"
    np.testing.assert_array_equal(data.table.values["s"], np.arange(1, 12) ** 2)


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            for _ in range(1100):
                member.write(bytes(2**20))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"x,y\n", "no rows of values"),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG picture"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + bytes(50), "save it as .xlsx"),
        ("a.npz", b"\x80\x04\x95" + bytes(50), "pickle"),
        ("a.kanwb", b"nothing", "not a whole KAN Workbench project"),
    ],
)
def test_a_file_that_cannot_be_opened_gets_a_sentence_and_leaves_no_project(projects, opened, name, content, says):
    with pytest.raises(WorkbenchError, match=says):
        projects.open_file(name, content)
    assert opened.store.projects.all() == ()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(projects, opened):
    with pytest.raises(TableError, match="MB"):
        projects.open_file("bomb.xlsx", zip_bomb())
    assert opened.store.projects.all() == ()


def test_an_excel_file_opens_at_the_first_sheet_that_is_a_table_and_another_can_be_chosen(projects, opened):
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    book.active.append(["Only words"])
    for title, factor in (("Runs", 2.0), ("Weird", 3.0)):
        sheet = book.create_sheet(title)
        sheet.append(["x", "y"])
        for k in range(1, 8):
            sheet.append([k, factor * k])
    out = io.BytesIO()
    book.save(out)
    project = projects.open_file("lab.xlsx", out.getvalue())
    data = Preparation(opened, project)
    assert data.plan.reading.sheets == ("Read me", "Runs", "Weird")
    assert (data.plan.reading.sheet, data.table.values["y"][0]) == ("Runs", 2)
    assert any("3 sheets" in note.text and "'Runs' was read" in note.text for note in data.table.notes)
    data.edit({0: {"unit": "m"}})
    data.read_again(replace(data.plan.reading, sheet="Weird", cells="A1:B5"))
    again = Preparation(opened, project)
    np.testing.assert_array_equal(again.table.values["y"], [3, 6, 9, 12])
    assert again.plan.units["x"] == "m"
    with pytest.raises(TableError, match="Did you mean 'Weird'"):
        again.read_again(replace(again.plan.reading, sheet="Wierd"))
    np.testing.assert_array_equal(Preparation(opened, project).table.values["y"], [3, 6, 9, 12])


def test_a_text_table_can_be_read_with_another_decimal_sign(projects, opened):
    project = projects.open_file("a.csv", b"x;y\n1.001;2.002\n3.003;4.004\n5.005;6.007\n")
    data = Preparation(opened, project)
    data.read_again(replace(data.plan.reading, header=0))
    assert Preparation(opened, project).table.n_rows == 4


@pytest.mark.parametrize("name", [sample.name for sample in Projects.samples(None)])
def test_every_sample_opens_ready_to_fit(projects, opened, name):
    data = Preparation(opened, projects.open_sample(name))
    sample = next(sample for sample in projects.samples() if sample.name == name)
    outlook = data.outlook()
    assert outlook.problem is None
    assert outlook.title == f"{sample.target} from {', '.join(sample.features)}"
    assert data.table.n_rows == sample.n_rows
    assert {column.name: column.unit for column in data.columns() if column.unit}.items() >= {
        name: unit for name, unit in sample.units.items() if unit
    }.items()


def test_a_project_that_cannot_be_stored_is_not_there(projects, opened, monkeypatch):
    monkeypatch.setattr("workbench.store.database.MAX_BLOB_BYTES", 100)
    with pytest.raises(ProjectError, match="can hold up to"):
        projects.open_file("fall.csv", CSV.encode())
    assert (opened.store.projects.all(), projects.trash()) == ((), ())


def test_a_project_travels_through_its_file(projects, opened):
    project = projects.open_file("fall.csv", CSV.encode())
    Preparation(opened, project).change(split="time")
    came = projects.open_file(projects.file_name(project), projects.export(project))
    assert came != project
    assert opened.store.projects.source(came) is None
    assert Preparation(opened, came).plan == Preparation(opened, project).plan
    assert not Preparation(opened, came).can_read_again()


def test_the_file_of_a_project_that_python_saved_opens_with_its_roles(projects, opened, tmp_path):
    found = wb.Discovery(wb.load_sample("puromycin"))
    found.fit(hidden_layer_sizes=())
    found.save(tmp_path / "enzyme.kanwb")
    project = projects.open_file("enzyme.kanwb", (tmp_path / "enzyme.kanwb").read_bytes())
    data = Preparation(opened, project)
    assert dict(data.plan.roles) == {"conc": "input", "rate": "target", "state": "group"}
    assert data.outlook().title == "rate from conc"


def test_what_a_person_does_with_a_project(projects, opened):
    project = projects.open_file("fall.csv", CSV.encode())
    projects.rename(project, "Free fall")
    copy = projects.duplicate(project)
    assert {card.name for card in projects.cards()} == {"Free fall", "Free fall (copy)"}
    projects.delete(copy)
    assert [card.id for card in projects.cards()] == [project]
    assert [entry.id for entry in projects.trash()] == [copy]
    projects.restore(copy)
    projects.delete(copy)
    projects.purge(copy)
    assert projects.trash() == ()
    with pytest.raises(ProjectError, match="1 to 200 characters"):
        projects.rename(project, " ")


def test_cards_say_how_far_a_project_has_come(projects, opened):
    project = opened.store.projects.create("Trees").id
    assert projects.cards()[0].stage == "empty"
    opened.store.projects.set_data(project, {}, {})
    opened.store.projects.summarise(project, {"rows": 31, "target": "Volume"})
    card = projects.cards()[0]
    assert (card.stage, card.facts, card.r2, card.latex) == ("data", "31 rows · predicts Volume", None, None)
    metrics = {"r2_validation": 0.95, "n_edges": 3, "n_symbolic": 1}
    opened.store.states.append(project, Draft("fit", {}, {}, metrics=metrics, view={"formula": {"latex": "V"}}))
    card = projects.cards()[0]
    assert (card.stage, card.r2, card.progress, card.latex) == ("fitted", 0.95, "1 of 3 curves named", None)
    opened.store.states.append(project, Draft("snap", {}, {}, metrics=metrics | {"n_symbolic": 3}, view={"formula": {"latex": "V"}}))
    assert (projects.cards()[0].stage, projects.cards()[0].latex) == ("formula", "V")
    opened.store.states.undo(project)
    assert projects.cards()[0].stage == "fitted"  # a card shows what is looked at, not what was made last
    opened.store.states.append(project, Draft("snap", {}, {}, metrics=metrics | {"n_symbolic": 3}, view={"formula": {"latex": "x" * 2000}}))
    assert projects.cards()[0].latex is None  # too long to read


@pytest.mark.parametrize("value", [None, True, "1", [], {}, float("nan"), float("inf")])
def test_a_card_bears_whatever_stands_in_a_foreign_file(projects, opened, value):
    project = opened.store.projects.create("odd").id
    opened.store.projects.summarise(project, dict.fromkeys(("rows", "target"), value))
    metrics = dict.fromkeys(("r2_validation", "n_edges", "n_symbolic"), value)
    for view in ({"formula": value}, {"formula": {"latex": value}}):
        opened.store.states.append(project, Draft("fit", {}, {}, metrics=metrics, view=view))
        (card,) = projects.cards()
        assert card.r2 is None
        assert card.latex is None


def test_a_damaged_state_does_not_hide_the_other_projects(projects, opened):
    project = opened.store.projects.create("damaged").id
    opened.store.projects.create("whole")
    opened.store.states.append(project, Draft("fit", {}, {}))
    with opened.store._database.write() as connection:
        connection.execute("UPDATE state SET network = x'00'")
    assert {card.name: card.progress for card in projects.cards()} == {"damaged": "cannot be read", "whole": ""}


@pytest.mark.parametrize(
    ("name", "file"), [("Länge / Zeit: ☃", "Länge Zeit.kanwb"), ("../../etc", "etc.kanwb"), ("...", "project.kanwb"), ("a" * 300, "a" * 80 + ".kanwb")]
)
def test_the_file_of_a_project_has_a_name_that_every_system_takes(name, file):
    assert file_name(name) == file


def test_a_sentence_names_the_file_once():
    assert sentence(TableError("'a.csv' is empty."), "a.csv") == "'a.csv' is empty."
    assert sentence(ProjectError("It is damaged."), "a.kanwb") == "a.kanwb was not opened. It is damaged."


def test_a_large_file_is_not_kept_for_another_reading(projects, opened, monkeypatch):
    monkeypatch.setattr("workbench.ui.state.projects.KEPT_SOURCE", 8)
    project = projects.open_file("fall.csv", CSV.encode())
    assert opened.store.projects.source(project) is None
    assert opened.store.projects.source(projects.open_file("b.csv", b"a,b\n1,2\n")) == SourceFile("b.csv", b"a,b\n1,2\n")
