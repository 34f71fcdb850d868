"""Theory of alignment rules: fixed points, rates, and the largest stable learning rate.

``coefficients``: the coefficients of the primitives, in two conventions. ``fixed_forward``: the
backward weight while the forward weight is held. ``joint``: both weights together. ``curvature``:
the step limit of any layer, measured on its activity. ``initial_limits``: step limits of the
subjects of a protocol before training.
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
