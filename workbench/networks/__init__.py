"""Networks whose edges are functions: pure forward, addressable edges."""

from workbench.networks.kan import KAN, LEARNED, Edge, Layer, Node, SymbolicEdge, hidden_label

__all__ = ["KAN", "LEARNED", "Edge", "Layer", "Node", "SymbolicEdge", "hidden_label"]
