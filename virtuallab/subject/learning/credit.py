"""What a rule declares of its credit assignment: how the error returns, and which objective."""

from __future__ import annotations

from enum import Enum


class ErrorReturn(Enum):
    """How the error reaches the hidden layers; the value is printed in reports."""

    FORWARD_WEIGHTS = "forward weights"
    FORWARD_SIGNS = "signs of forward weights"
    FIXED_WEIGHTS = "fixed backward weights"
    LEARNED_WEIGHTS = "learned backward weights"
    BROADCAST = "broadcast of error, target or reward"
    PERTURBATION = "perturbation"
    NONE = "no error"


class Objective(Enum):
    """What the hidden layers learn to improve; the value is printed in reports."""

    SUPERVISED = "supervised loss"
    REWARD = "reward"
    LOCAL = "local or unsupervised"
    NONE = "none"
