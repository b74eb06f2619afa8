"""The router: four pages under one top navigation. Streamlit runs this file on every interaction."""

from pathlib import Path

import streamlit as st

from workbench.ui.navigation import pages
from workbench.ui.pill import job_pill

HERE = Path(__file__).parents[1]

st.set_page_config(page_title="KAN Workbench", page_icon=str(HERE / "favicon.svg"), layout="wide")
st.html(HERE / "style.css")
page = st.navigation(list(pages().values()), position="top")
job_pill()
page.run()
