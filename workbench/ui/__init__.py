"""The web app: a Streamlit shell around our own canvas. Nothing outside this package imports streamlit."""
