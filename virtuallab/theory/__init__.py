"""Theory of alignment rules: fixed points, rates, and the largest stable learning rate.

``coefficients``: coefficients of the primitives. ``fixed_forward``: dynamics of the backward weight
for a fixed forward weight. ``joint``: dynamics of both weights. ``curvature``: step limit of any
layer, measured on its activity. ``initial_limits``: step limits of subjects before training.
"""

from virtuallab.theory.coefficients import (
    Coefficients,
    coefficients_of,
    from_paper,
    kolen_pollack,
)
from virtuallab.theory.curvature import largest_curvature, measured_limit
from virtuallab.theory.fixed_forward import (
    eigenvalues,
    fixed_point,
    gain,
    largest_step,
    second_moment,
    step_limit,
)
from virtuallab.theory.joint import (
    joint_flow,
    origin_eigenvalues,
    symmetric_eigenvalues,
    symmetric_point,
)

__all__ = [
    "Coefficients",
    "coefficients_of",
    "eigenvalues",
    "fixed_point",
    "from_paper",
    "gain",
    "joint_flow",
    "kolen_pollack",
    "largest_curvature",
    "largest_step",
    "measured_limit",
    "origin_eigenvalues",
    "second_moment",
    "step_limit",
    "symmetric_eigenvalues",
    "symmetric_point",
]
