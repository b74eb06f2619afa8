"""Pictures as data: the network's drawing, its static SVG, small charts, Plotly figures.

Each module is imported by its own name: plots need no network, and a page that draws them should load none of the numerics.
"""
