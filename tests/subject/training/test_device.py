"""Training on a device other than the processor, as far as a machine without one can check it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.subject.training.test_trainer import subject, visits_of
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.trainer import CohortTrainer

# Other rules draw numbers, or look whether a strength is 0, on the processor for all devices.
MADE_ON_THE_DEVICE = (
    *("backprop", "feedback_alignment", "kolen_pollack", "direct_feedback_alignment"),
    *("direct_random_target_projection", "hebbian", "oja", "bcm", "predictive_coding"),
)
WITHOUT_A_GPU = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs CUDA, and torch finds none"
)


@pytest.mark.parametrize("rule", MADE_ON_THE_DEVICE)
def test_updates_and_evaluations_are_made_on_the_device_of_the_subjects(rule: str) -> None:
    trainer = CohortTrainer(Cohort((subject(rule), subject(rule, number=1))), torch.float32, "cpu")
    batch = next(trainer.batches())
    # A tensor that is made without naming the device is then of another one than the subjects,
    # as it would be on a GPU, and arithmetic with it fails.
    with torch.device("meta"):
        updates = trainer.rule.compute_updates(trainer.network, *batch, 0)
        visit = trainer.visit(0, 0)
    assert updates.losses.device.type == "cpu"
    assert np.isfinite(visit.state).all()
    assert np.isfinite(visit.evaluation["validation_loss"]).all()


def test_a_tensor_of_another_device_is_noticed() -> None:
    with torch.device("meta"), pytest.raises(RuntimeError):
        bool((torch.ones(2) + torch.from_numpy(np.ones(2, dtype=np.float32))).all())


@pytest.mark.gpu
@WITHOUT_A_GPU
@pytest.mark.parametrize("rule", ["backprop", "information_alignment", "node_perturbation"])
def test_a_gpu_trains_as_the_processor_does(rule: str) -> None:
    subjects = [subject(rule), subject(rule, number=1)]
    here, there = (
        visits_of(subjects, device=device, dtype=torch.float64) for device in ("cpu", "cuda")
    )
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(other.state, one.state, rtol=1e-6, atol=1e-9)
        for name, values in one.evaluation.items():
            np.testing.assert_allclose(
                other.evaluation[name], values, rtol=1e-4, atol=1e-6, err_msg=name
            )
