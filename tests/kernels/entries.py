"""The kernels of every CUDA text, by the names they are launched by."""

from __future__ import annotations

ENTRIES = {
    "rational.cu": {
        *("group_forward_wide", "group_forward_narrow", "group_backward_wide", "group_backward_narrow"),
        *("edge_forward", "edge_backward_x", "edge_backward_coefficients", "sum_partials"),
    },
    "spline.cu": {"spline_forward", "spline_backward_x", "spline_backward_coefficients", "sum_partials"},
}
