"""A protocol laid out as work."""

from __future__ import annotations

import pytest

from tests.lab.stages.tiny import TEXT, tiny_plan
from virtuallab.lab.planning.plan import Plan, lay_out
from virtuallab.protocol import read_text


def laid_out(*overrides: str) -> Plan:
    return lay_out(read_text(TEXT, overrides=overrides))


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        (["subjects.batch_size=8"], [0.0, 2.0]),
        (["subjects.batch_size=[4, 8]"], None),
        (
            ["subjects.tasks=[{name: digits, train_images: 16}, {name: digits, train_images: 32}]"],
            None,
        ),
    ],
    ids=["one batch size", "two batch sizes", "two numbers of images"],
)
def test_visits_have_epochs_where_these_are_the_same_for_all_subjects(
    settings: list[str], epochs: list[float] | None
) -> None:
    visits = laid_out(*settings, "subjects.visits=2").visit_coordinates
    assert visits["visit"].values.tolist() == [0, 1]
    assert visits["step"].values.tolist() == [0, 4]
    assert (visits["epoch"].values.tolist() if "epoch" in visits else None) == epochs


def test_the_stored_part_is_the_visits_the_cohorts_and_the_threads() -> None:
    stored = tiny_plan(cohorts=((0, 3), (1, 2))).stored()
    assert stored == {"visits": [0, 2, 4], "cohorts": [[0, 3], [1, 2]], "threads": 1}


def test_a_plan_without_costs_cannot_be_stored() -> None:
    with pytest.raises(ValueError, match="cohorts of this plan were not measured"):
        laid_out().stored()


def test_sizes_of_a_group_are_units_and_synapses_of_layers_visits_and_stimuli() -> None:
    [(units, synapses, visits, stimuli)] = laid_out().sizes
    assert list(units.values()) == [4, 10]
    assert list(synapses.values()) == [64 * 4, 4 * 10]
    assert (visits, stimuli) == (3, 10)


def test_the_table_of_subjects_has_one_row_for_each() -> None:
    table = laid_out().to_frame()
    assert table["subject"].tolist() == [f"sub-000{number}" for number in (1, 2, 3, 4)]
    assert table["rule"].tolist() == ["backprop", "backprop", "fa", "fa"]
