"""Signals of dense layers and convolutions, compared with a loop over subjects."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from virtuallab.subject.network import signals

SUBJECTS, BATCH = 3, 4


def parts(dense: bool) -> Tensor:
    """Numbers of each subject, ``(subject, batch, *unit_shape)``."""
    shape = (SUBJECTS, BATCH, 5) if dense else (SUBJECTS, BATCH, 2, 3, 3)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def split(signal: Tensor) -> Tensor:
    """Inverse of ``join_subjects``."""
    if signals.is_dense(signal):
        return signal
    return signal.view(BATCH, SUBJECTS, -1, *signal.shape[2:]).transpose(0, 1)


@pytest.mark.parametrize("dense", [True, False])
def test_join_subjects_keeps_all_values(dense: bool) -> None:
    signal = signals.join_subjects(parts(dense))
    assert torch.equal(split(signal), parts(dense))
    assert signals.batch_size(signal) == BATCH
    assert signals.unit_shape(signal, SUBJECTS) == tuple(parts(dense).shape[2:])
    assert torch.equal(signals.by_sample(signal, SUBJECTS), parts(dense).flatten(2).transpose(0, 1))


@pytest.mark.parametrize("dense", [True, False])
def test_each_subject_and_each_sample_is_scaled_by_its_own_number(dense: bool) -> None:
    own, weights = (
        torch.tensor([1.0, 2.0, 4.0]).double(),
        torch.arange(12.0).view(BATCH, SUBJECTS).double(),
    )
    signal = signals.join_subjects(parts(dense))
    by_subject = split(signals.scale(own, signal))
    by_sample = split(signals.scale_samples(weights, signal))
    assert torch.equal(split(signals.scale(2.0, signal)), 2 * parts(dense))
    for place, part in enumerate(parts(dense)):
        assert torch.equal(by_subject[place], own[place] * part)
        for sample in range(BATCH):
            wanted = weights[sample, place] * part[sample]
            assert torch.equal(by_sample[place, sample], wanted)


@pytest.mark.parametrize("dense", [True, False])
def test_means_and_norms_are_computed_for_each_subject(dense: bool) -> None:
    signal = signals.join_subjects(parts(dense))
    centred = split(signals.subtract_batch_mean(signal))
    torch.testing.assert_close(centred, parts(dense) - parts(dense).mean(1, keepdim=True))
    normalised = split(signals.normalise_samples(signal, SUBJECTS)).flatten(2)
    torch.testing.assert_close(normalised.square().mean(2), torch.ones(SUBJECTS, BATCH).double())


@pytest.mark.parametrize("dense", [True, False])
def test_a_number_for_each_unit_applies_to_all_positions(dense: bool) -> None:
    values = torch.arange(SUBJECTS * (5 if dense else 2)).view(SUBJECTS, -1).double()
    added = split(
        signals.join_subjects(parts(dense))
        + signals.per_unit(values, signals.join_subjects(parts(dense)))
    )
    each = values.unsqueeze(1) if dense else values[:, None, :, None, None]
    assert torch.equal(added, parts(dense) + each)
