"""Pictures as data: the network's drawing, its static SVG, small charts, Plotly figures."""

from workbench.figures.drawing import drawing
from workbench.figures.svg import network_svg

__all__ = ["drawing", "network_svg"]
