"""Floating-point operations of training steps, counted by torch as they run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from unittest import mock

from torch.utils.flop_counter import FlopCounterMode

from benchmarks.implementations.module_loop import ModuleLoop
from benchmarks.implementations.virtuallab_cohort import VirtuallabCohort
from virtuallab.subject.network.chain import Chain


def counted(work: Callable[[], object]) -> int:
    """Operations of matrix products and convolutions, of which all others are a small part."""
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


@cache
def of_a_step(net: str, rule: str) -> int:
    """Operations of one training step of one network.

    Feedback alignment has those of backpropagation, which are counted in an ordinary module. For a
    rule with further operations, those of a cohort of one subject are counted.
    """
    alike = rule in ("backprop", "feedback_alignment")
    # Torch's counter fails where a module of a chain is differentiated alone. Automatic
    # differentiation of the whole network has the same operations.
    with mock.patch.object(Chain, "of", return_value=None):
        made = ModuleLoop(net, rule, 1) if alike else VirtuallabCohort(net, rule, 1)
    return counted(lambda: made.train(1))
