from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.subject.training.test_trainer import NETS, TASK, subject
from virtuallab.errors import UserError
from virtuallab.registry import RULES
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.compatibility import incompatibility
from virtuallab.subject.training.trainer import CohortTrainer


def test_a_rule_for_dense_layers_is_rejected_with_the_name_of_a_convolution() -> None:
    misplaced = replace(subject("difference_target_propagation"), architecture=NETS["knet4"])
    with pytest.raises(UserError, match="defined for dense layers; 'conv1' of knet4 is a conv"):
        CohortTrainer(Cohort((misplaced,)), torch.float32, "cpu")


@pytest.mark.parametrize("rule", list(RULES))
def test_every_rule_is_compatible_with_a_perceptron(rule: str) -> None:
    assert incompatibility(RULES[rule](), NETS["mlp"], TASK) is None
