"""Conformance checks for plug-ins, for the tests of whoever writes one.

Each check takes a registered name, a class or an instance, and raises AssertionError with what the
plug-in breaks.

>>> from virtuallab.testing import check_rule
>>> check_rule("feedback_alignment")
"""

from virtuallab.testing.architecture import check_architecture
from virtuallab.testing.classifier import check_classifier
from virtuallab.testing.control import check_control
from virtuallab.testing.loss import check_loss
from virtuallab.testing.optimizer import check_optimizer
from virtuallab.testing.rule import check_rule
from virtuallab.testing.task import check_task

__all__ = [
    "check_architecture",
    "check_classifier",
    "check_control",
    "check_loss",
    "check_optimizer",
    "check_rule",
    "check_task",
]
