"""The arithmetic under the networks: one op, several engines, one specification.

`cpu` holds the fused Numba kernels that every KAN is trained with. For torch, `autograd` is what a program calls: rational functions of groups and of edges,
splines on edges. `reference` says what they compute; `rational` and `spline` are the Numba kernels, `launch`, `spline_launch` and `cuda` those of kernels/ on
a GPU, `engines` the choice among them. `starts` holds rational coefficients to start from, `gpu` says what a machine has.
"""
