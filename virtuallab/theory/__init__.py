"""What the alignment rules do in theory: points of rest, rates, and how large a step may be.

``coefficients``: the strengths, and the two conventions of writing them. ``given``: the backward
weight while the forward weight is held. ``joint``: both weights together. ``measured``: the step
limit of any layer on what it sees. ``newborn``: those limits for the subjects of a protocol.
"""

from virtuallab.theory.coefficients import (
    Coefficients,
    coefficients_of,
    from_paper,
    kolen_pollack,
)
from virtuallab.theory.curvature import measured_limit, stiffness
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
    "largest_step",
    "measured_limit",
    "origin_eigenvalues",
    "second_moment",
    "step_limit",
    "stiffness",
    "symmetric_eigenvalues",
    "symmetric_point",
]
