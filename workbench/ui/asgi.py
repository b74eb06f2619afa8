"""The app as the installed command serves it: `streamlit run workbench/ui/asgi.py`.

Streamlit reads this source to find the line that makes `app`, so it must stand here literally. Its twin for a checkout
is `app.py` at the root of the repository.
"""

import streamlit as st

from workbench.ui.server import SCRIPT, lifespan, middleware, routes

app = st.App(SCRIPT, lifespan=lifespan, routes=routes(), middleware=middleware())
