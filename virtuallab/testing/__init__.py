"""Conformance checks for plug-ins, for the tests of their authors.

Each check takes a registered name, a class or an instance, and raises AssertionError with what the
plug-in breaks.

>>> from virtuallab.testing import check_rule
>>> check_rule("feedback_alignment")
"""

from virtuallab.testing.architecture import check_architecture
from virtuallab.testing.classifier import check_classifier
from virtuallab.testing.control import check_control
from virtuallab.testing.curriculum import check_curriculum
from virtuallab.testing.device import check_device
from virtuallab.testing.indicator import check_indicator
from virtuallab.testing.loss import check_loss
from virtuallab.testing.noise import check_noise
from virtuallab.testing.null_model import check_null_model
from virtuallab.testing.optimizer import check_optimizer
from virtuallab.testing.rule import check_rule
from virtuallab.testing.schedule import check_schedule
from virtuallab.testing.statistic import check_statistic
from virtuallab.testing.task import check_task

__all__ = [
    "check_architecture",
    "check_classifier",
    "check_control",
    "check_curriculum",
    "check_device",
    "check_indicator",
    "check_loss",
    "check_noise",
    "check_null_model",
    "check_optimizer",
    "check_rule",
    "check_schedule",
    "check_statistic",
    "check_task",
]
