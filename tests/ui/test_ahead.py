"""The parts of Streamlit that are loaded ahead are files that it serves."""

from __future__ import annotations

from pathlib import Path

import streamlit

from workbench.ui.canvas.ahead import PARTS, parts


def test_every_part_is_a_file_of_this_streamlit() -> None:
    assert [Path(address).name.partition(".")[0] for address in parts()] == list(PARTS)
    for address in parts():
        assert (Path(streamlit.__file__).parent / "static" / address).is_file()
