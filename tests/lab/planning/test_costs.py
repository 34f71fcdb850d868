"""Time, memory, disk and warnings that a plan states before anything runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.lab.stages.tiny import TEXT, tiny_plan
from tests.protocol.texts import small
from virtuallab.errors import ProtocolError
from virtuallab.lab.planning import costs as planning
from virtuallab.lab.planning import network_group
from virtuallab.lab.planning.costs import costs_table, measure_costs
from virtuallab.lab.planning.plan import Costs, Plan, lay_out
from virtuallab.lab.planning.validation import make_plan
from virtuallab.protocol import read, read_text
from virtuallab.subject.network.dry_run import dry_run
from virtuallab.subject.training.cohort_size import CohortTiming

WEIGHTS = 64 * 4 + 4 + 4 * 10 + 10  # of the network of the tiny experiment
VISITS = 3 * 10 / 3 / 8  # training steps that take as long as the evaluation at all visits
KEPT = "probes.kept={units: 2, observables: [activity], visits: 2}"
REDUCED = "probes.reduced={units: 2, observables: [activity], keep: statistics}"
COSTS = Costs(((0, 1), (2, 3)), 2, 60.0, 0.0, 0.0, {"snapshots": 2_000_000}, "", ("beware",))


def test_a_plan_states_the_time_of_every_stage_and_how_precise_an_accuracy_is(
    tmp_path: Path,
) -> None:
    file = tmp_path / "p.yaml"
    changes = (
        ("[knet4]", "[mlp]"),
        ("information_alignment\n      amp: 0.02", "feedback_alignment"),
        ("replicates: 2", "replicates: 20"),
        ("[random_forest]", "[logistic_regression]"),
        ("visits: 5", "visits: 3\n  cohort: 20"),
    )
    file.write_text(small(*changes), encoding="utf-8")
    made = measure_costs(make_plan(read(file)), workers=1).costs
    assert made is not None
    assert made.recording > 0
    assert made.decoding > 0
    assert made.precision == (
        "20 subjects of each of 2 rules: an accuracy of 0.70 is known to ± 0.17 (95 % interval)"
    )
    assert made.warnings == ()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int | None, int]]:
    """Replace trial steps: 0.5 s a step, two subjects fastest; the list has the limits given."""
    found: list[tuple[int | None, int]] = []

    def timed(_: object, *, size: int | None, most: int) -> CohortTiming:
        found.append((size, most))
        return CohortTiming(size or 2, 0.5)

    monkeypatch.setattr(planning, "fastest_cohort", timed)
    return found


def measured(*overrides: str, workers: int = 1) -> Costs:
    found = measure_costs(lay_out(read_text(TEXT, overrides=overrides)), workers).costs
    assert found is not None
    return found


@pytest.mark.usefixtures("asked")
def test_training_takes_the_steps_of_all_subjects_divided_among_workers() -> None:
    assert measured().training == pytest.approx(4 * (4 + VISITS) * 0.5)
    assert measured(workers=2).training == pytest.approx(4 * (4 + VISITS) * 0.5 / 2)
    assert measured("subjects.steps=8").training == pytest.approx(4 * (8 + VISITS) * 0.5)


@pytest.mark.usefixtures("asked")
def test_evaluation_at_visits_takes_a_third_of_a_step_for_each_image() -> None:
    few = "subjects.tasks=[{name: digits, train_images: 16, validation_images: 20}]"
    assert measured(few).training == pytest.approx(4 * (4 + 2 * VISITS) * 0.5)
    views = (
        "subjects.tasks=[{name: contrastive, of: digits, train_images: 16, validation_images: 20}]"
    )
    shown = 2 * 20 + 16 + 20  # two views of each validation image, and the read-out
    visits = 3 * shown / 3 / (2 * 8)
    assert measured(views).training == pytest.approx(4 * (4 + visits) * 0.5)


@pytest.mark.usefixtures("asked")
def test_pretraining_takes_its_steps_too() -> None:
    found = measured("subjects.start_from={steps: 10}").training
    assert found == pytest.approx(4 * (14 + VISITS) * 0.5)


@pytest.mark.usefixtures("asked")
def test_every_subject_is_in_one_cohort_of_the_fastest_size() -> None:
    found = measured("subjects.replicates=3").cohorts
    assert sorted(index for cohort in found for index in cohort) == [0, 1, 2, 3, 4, 5]
    assert {len(cohort) for cohort in found} <= {1, 2}


def test_a_cohort_that_the_protocol_fixes_is_not_chosen(
    asked: list[tuple[int | None, int]],
) -> None:
    assert {len(cohort) for cohort in measured("subjects.cohort=1").cohorts} == {1}
    assert {size for size, _ in asked} == {1}


def test_memory_is_divided_among_workers(
    asked: list[tuple[int | None, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "total_memory", lambda: 1000)
    monkeypatch.setattr(planning, "training_bytes", lambda *_: 100)
    measured()
    measured(workers=3)
    assert [most for _, most in asked] == [10] * (len(asked) // 2) + [3] * (len(asked) // 2)


@pytest.mark.usefixtures("asked")
def test_a_cohort_that_does_not_fit_into_memory_is_refused_with_the_number_that_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "total_memory", lambda: 199)
    monkeypatch.setattr(planning, "training_bytes", lambda *_: 100)
    with pytest.raises(
        ProtocolError, match=r"subjects\.cohort: so many subjects of mlp.*about 1 do"
    ):
        measured("subjects.cohort=2")
    assert measured("subjects.cohort=1").cohorts


@pytest.mark.usefixtures("asked")
def test_the_size_of_the_store_is_counted_from_the_numbers_that_are_kept() -> None:
    sizes = measured(KEPT, REDUCED).sizes
    assert sizes["snapshots"] == 4 * 3 * WEIGHTS * 4
    assert sizes["references"] == 8 * WEIGHTS * 4
    assert sizes["recordings/kept"] == 4 * (2 * 10 * 2) * 4  # visits, stimuli, units
    assert set(sizes) == {"snapshots", "references", "recordings/kept"}, "no statistics"


@pytest.mark.usefixtures("asked")
def test_a_store_that_is_larger_than_the_disk_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    total = sum(measured(KEPT).sizes.values())
    for free, is_warned in ((total, False), (total - 1, True)):
        monkeypatch.setattr(planning, "free_disk", lambda _, free=free: free)
        assert any("take another disk" in text for text in measured(KEPT).warnings) == is_warned


def printed(plan: Plan) -> str:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(costs_table(plan))
    return captured.get()


def test_the_table_has_the_cohorts_the_time_the_sizes_and_the_warnings() -> None:
    text = printed(replace(tiny_plan(), costs=COSTS))
    assert "2 of 2 subjects, 2 at once" in text
    alone = replace(COSTS, cohorts=((0,),))
    assert "1 of 1 subject, 2 at once" in printed(replace(tiny_plan(), costs=alone))
    assert "about 1 min 0 s" in text
    assert "2.00 MB before compression" in text
    assert "beware" in text


def test_the_table_names_no_stage_that_a_protocol_does_not_have() -> None:
    text = printed(replace(tiny_plan(), costs=COSTS))
    assert not {"recording", "decoding", "precision"} & {*text.split()}
    every = replace(COSTS, recording=1.0, decoding=2.0, precision="fine")
    text = printed(replace(tiny_plan(), costs=every))
    assert {"recording", "decoding", "precision"} <= {*text.split()}


def test_cohorts_of_different_sizes_are_a_range_in_the_table() -> None:
    uneven = replace(COSTS, cohorts=((0, 1, 2), (3,)))
    assert "2 of 1 to 3 subjects" in printed(replace(tiny_plan(), costs=uneven))


def test_the_table_names_the_steps_of_the_pretraining() -> None:
    assert "pretraining" not in printed(replace(tiny_plan(), costs=COSTS))
    start = "subjects.start_from={steps: 1234}"
    text = printed(replace(tiny_plan(start), costs=COSTS))
    assert "1,234 steps of each subject before visit 0" in text


def test_the_table_says_which_streams_are_paired() -> None:
    assert "paired" not in printed(replace(tiny_plan(), costs=COSTS))
    plan = lay_out(read_text(TEXT, overrides=("subjects.paired=[initial_weights, data_order]",)))
    text = printed(replace(plan, costs=COSTS))
    assert "initial weights, data order: the same in subject r of every rule" in text


def test_signals_in_mixed_precision_take_half_the_memory() -> None:
    single, mixed = (
        lay_out(read_text(TEXT, overrides=(f"subjects.precision={each}",))).subjects[0]
        for each in ("single", "mixed")
    )
    traced = dry_run(single.architecture, single.task, 10**9)
    saved = planning.training_bytes(single, 3) - planning.training_bytes(mixed, 3)
    assert saved == 2 * 2 * single.batch_size * traced.activities


@pytest.mark.usefixtures("asked")
def test_a_plan_tells_mixed_precision() -> None:
    for precision, shown in (("single", False), ("mixed", True)):
        plan = lay_out(read_text(TEXT, overrides=(f"subjects.precision={precision}",)))
        assert ("bfloat16" in printed(replace(plan, costs=COSTS))) == shown


@pytest.mark.usefixtures("asked")
def test_subjects_that_are_not_preserved_take_no_room_on_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[int] = []

    def noting(_: object, visits: int) -> int:
        kept.append(visits)
        return 100

    monkeypatch.setattr(planning, "training_bytes", noting)
    found = measured(KEPT, "subjects.preserve=false")
    assert set(found.sizes) == {"references", "recordings/kept"}
    monkeypatch.setattr(network_group, "_PREPARED", 1)
    measured(KEPT, "subjects.preserve=false")
    assert set(kept) == {3, 1}, "as many visits as are prepared at once"
    kept.clear()
    measured(KEPT)
    monkeypatch.setattr(network_group, "_LARGE", 1)
    measured(KEPT)
    assert set(kept) == {3, 1}, "all, or one where each is written as it comes"
