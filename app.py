"""KAN Workbench in a checkout: `streamlit run app.py`. It is the server of the installed command, `kan-workbench app`."""

import streamlit as st

from workbench.ui.server import SCRIPT, lifespan, middleware, routes

app = st.App(SCRIPT, lifespan=lifespan, routes=routes(), middleware=middleware())
