"""Designs are decoded once: results that were kept are read, others are recorded and decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.lab.stages.tiny import tiny_plan, tiny_store
from virtuallab.decoder.features.samples import Samples
from virtuallab.errors import UserError
from virtuallab.lab.designs.decode_designs import (
    DecodedDesign,
    DecodingSettings,
    check_counts,
    evaluate_designs,
)
from virtuallab.lab.designs.design_evaluation import DesignRun, PreservedSubjects, RecordedDesign
from virtuallab.lab.designs.result_cache import ResultCache
from virtuallab.lab.services.progress import Count
from virtuallab.lab.services.workers import LocalPool
from virtuallab.probes import Probe

KEY = ("activity", "linear_svm")
HOW = DecodingSettings(("linear_svm",), folds=2, inner_folds=2)
PROBE = Probe(observables=("activity",), units=4)


@dataclass(frozen=True)
class Prepared(PreservedSubjects):
    """Subjects with given samples, which need not be trained; it counts what is recorded."""

    count: int = 12
    recorded: list[DesignRun] = field(default_factory=list)

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(range(self.count))

    @property
    def labels(self) -> np.ndarray:
        return np.resize(["backprop", "fa"], self.count).astype(object)

    def samples(self, apart: float) -> dict[str, Samples]:
        noise = np.random.default_rng(0).normal(0, 0.1, (self.count, 3))
        values = noise + apart * (self.labels == "fa")[:, None]
        return {"activity": Samples(values, self.labels, np.arange(self.count), 1)}

    def record(
        self, trials: Sequence[DesignRun], recorded: Callable[[int], None] = lambda _: None
    ) -> Iterator[RecordedDesign]:
        for trial in trials:
            self.recorded.append(trial)
            yield RecordedDesign(self.samples(2.0), {"visit_0": self.samples(0.0)})


class Counted(Count):
    def __init__(self) -> None:
        self.finished: list[int] = []

    def __call__(self, count: int) -> None:
        self.finished.append(count)

    def note(self, text: str) -> None:
        pass


@pytest.fixture
def bench(tmp_path: Path) -> Prepared:
    plan = tiny_plan()
    return Prepared(plan, tiny_store(tmp_path, plan), LocalPool(1))


def decoded(
    bench: Prepared, *trials: DesignRun, how: DecodingSettings = HOW
) -> tuple[list[DecodedDesign], list[int]]:
    """Results of the designs, and each number of designs that was counted as finished."""
    count = Counted()
    cache = ResultCache(bench.store.path.parent / "kept", {})
    return evaluate_designs(bench, cache, trials, how, count), count.finished


def test_a_result_says_which_subjects_were_identified(bench: Prepared) -> None:
    [[found], counted] = decoded(bench, DesignRun(PROBE, 0, ("activity",)))
    assert found.right[KEY].tolist() == [True] * 12
    assert found.controls == {}
    assert sum(counted) == 1


def test_controls_are_decoded_where_a_design_has_them(bench: Prepared) -> None:
    [[found], _] = decoded(bench, DesignRun(PROBE, 0, ("activity",), control=True))
    assert found.right.keys() == {KEY}
    assert found.controls.keys() == {("visit_0", *KEY), ("permuted_labels", *KEY)}
    assert found.right[KEY].all()
    assert not any(right.all() for right in found.controls.values())


def test_only_designs_without_a_result_are_recorded_and_results_stay_in_order(
    bench: Prepared,
) -> None:
    first, second = (DesignRun(PROBE, seed, ("activity",)) for seed in (0, 1))
    decoded(bench, second)
    found, counted = decoded(bench, first, second)
    assert [trial.seed for trial in bench.recorded] == [1, 0]
    assert len(found) == 2
    assert counted == [1, 1], "the one that was kept, then the other"
    other = DecodingSettings(("linear_svm",), folds=3, inner_folds=2)
    decoded(bench, first, how=other)
    assert len(bench.recorded) == 3, "other folds are another result"


def test_a_result_of_fewer_subjects_is_replaced(bench: Prepared) -> None:
    trial = DesignRun(PROBE, 0, ("activity",))
    fewer = Prepared(bench.plan, bench.store, LocalPool(1), count=8)
    assert len(decoded(fewer, trial)[0][0].right[KEY]) == 8
    assert len(decoded(bench, trial)[0][0].right[KEY]) == 12
    assert len(bench.recorded) == 1


def test_folds_need_enough_subjects_of_each_rule_also_of_those_without_any(bench: Prepared) -> None:
    check_counts(bench, DecodingSettings((), 2, 2), "compare")
    with pytest.raises(UserError, match=r"6 of 'backprop', 6 of 'fa', where power needs 9 of each"):
        check_counts(bench, DecodingSettings((), 3, 3), "power")
    none = Prepared(bench.plan, bench.store, LocalPool(1), count=0)
    with pytest.raises(UserError, match=r"0 of 'backprop', 0 of 'fa', .* Lower compare\.folds"):
        check_counts(none, HOW, "compare")
