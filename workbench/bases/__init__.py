"""One family of edge functions a file: value, derivative, parameter Jacobian, exact expression, own affine map per input."""
