"""Samples of a decoder's training, as they are and relative to the centre of their kind."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.uncertainty.no_learning import NullSamples
from virtuallab.lab.identification.null_recordings import total_change
from virtuallab.lab.identification.training_samples import FROZEN, TrainingSamples

EACH, COLUMNS = 30, 4
KINDS = np.repeat(["mlp", "knet4"], 3 * EACH)
LABELS = np.tile(np.repeat(["adam", "sgd", "slow"], EACH), 2)


def made(
    nulls: NullSamples | None = None, pairs: np.ndarray | None = None
) -> tuple[TrainingSamples, np.ndarray]:
    """Samples of two kinds that lie 20 apart, and their values."""
    values = np.random.default_rng(0).standard_normal((len(KINDS), COLUMNS))
    values[KINDS == "knet4"] += 20.0
    samples = Samples(values, LABELS, np.arange(len(LABELS)), 1, pairs=pairs)
    return TrainingSamples.of(samples, nulls, KINDS, others=["slow"], absent=(3,)), values


def of_owners(*owners: int) -> NullSamples:
    values = np.arange(len(owners))[:, None] + np.zeros(COLUMNS)
    return NullSamples(values, np.full(len(owners), FROZEN), np.array(owners))


def test_other_rules_are_outliers_and_absent_columns_are_left_out() -> None:
    found, values = made()
    assert found.rules == ["adam", "sgd"]
    assert found.absent == (3,)
    assert found.outliers is not None
    assert set(found.outliers.labels) == {"slow"}
    np.testing.assert_array_equal(found.own.values[:, :3], values[LABELS != "slow"][:, :3])
    assert found.kinds.tolist() == KINDS[LABELS != "slow"].tolist()
    assert np.isnan(found.own.values[:, 3]).all()


def test_null_recordings_have_the_pair_and_the_kind_of_their_subject() -> None:
    pairs = np.arange(len(LABELS)) // 2
    found, _ = made(of_owners(4, 5, 100), pairs)
    assert found.nulls is not None
    assert found.nulls.owners.tolist() == [2, 2, 50]
    assert found.null_kinds.tolist() == ["mlp", "mlp", "knet4"]


def test_kinds_lie_together_once_they_are_centred() -> None:
    nulls = of_owners(0, 100)
    nulls.values[1] += 20
    found, _ = made(nulls)
    centred = found.centred()
    assert centred.outliers is not None
    assert centred.nulls is not None
    for values, kinds in (
        (centred.own.values, centred.kinds),
        (centred.outliers.values, centred.outlier_kinds),
    ):
        for kind in ("mlp", "knet4"):
            assert np.median(values[kinds == kind, 0]) == pytest.approx(0, abs=0.5)
    assert np.ptp(centred.nulls.values[:, 0]) < 2
    assert centred.centres is not None
    assert centred.absent == found.absent
    assert (centred.rules, found.centres) == (found.rules, None)


def test_labels_have_no_part_in_centres() -> None:
    found, _ = made()
    stream = np.random.default_rng(1)
    other = TrainingSamples.of(
        Samples(
            found.own.values,
            stream.permutation(found.own.labels),
            found.own.owners,
            1,
        ),
        None,
        found.kinds,
        others=[],
        absent=(),
    )
    np.testing.assert_array_equal(found.centred().own.values, other.centred().own.values)


def test_the_change_of_still_recordings_is_that_of_values_as_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def remembered(values: np.ndarray, stages: int) -> np.ndarray:
        asked.append(values)
        return values[:, 0]

    monkeypatch.setattr(f"{TrainingSamples.__module__}.{total_change.__name__}", remembered)
    found, _ = made(of_owners(5, 4, 100))
    assert found.still.tolist() == [0, 1, 2]
    [values] = asked
    np.testing.assert_array_equal(values[:, 0], [0, 1, 2])
    assert made()[0].still.tolist() == []
