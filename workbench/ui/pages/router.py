"""The router: four pages under one top navigation. Streamlit runs this file on every interaction."""

from pathlib import Path

import streamlit as st

from workbench.ui.navigation import pages

st.set_page_config(page_title="KAN Workbench", page_icon=str(Path(__file__).parents[1] / "favicon.svg"), layout="wide")
st.navigation(list(pages().values()), position="top").run()
