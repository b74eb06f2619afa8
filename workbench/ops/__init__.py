"""The arithmetic under the networks: one op, several engines, one specification.

`cpu` holds the fused Numba kernels that every KAN is trained with.
"""
