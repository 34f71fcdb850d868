"""Groups of networks that share an architecture and a task."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.stages.tiny import TEXT
from tests.protocol.texts import SMALL
from virtuallab import plugins
from virtuallab.lab.planning import network_group
from virtuallab.lab.planning.network_group import (
    NetworkGroup,
    architecture_labels,
    network_groups,
    task_labels,
    union_of_layers,
)
from virtuallab.protocol import expand, read_text
from virtuallab.registry import TASKS as REGISTERED

TWO = "subjects.architectures=[{name: mlp, hidden: [4]}, {name: mlp, hidden: [5]}]"
TASKS = (
    "subjects.tasks=[{name: digits, train_images: 16, probe_images: 10}, "
    "{name: mnist_5k, probe_images: 12}]"
)


def groups(*overrides: str) -> tuple[NetworkGroup, ...]:
    return network_groups(expand(read_text(TEXT, overrides=overrides)))


def test_subjects_of_two_losses_are_one_group() -> None:
    made = read_text(SMALL, overrides=("subjects.loss=[cross_entropy, squared_error]",))
    [group] = network_groups(expand(made))
    assert group.name == "knet4"
    assert len(group.members) == 8


def test_every_subject_is_in_the_group_of_its_architecture_and_task() -> None:
    subjects = expand(read_text(TEXT, overrides=(TWO, TASKS)))
    found = network_groups(subjects)
    assert sorted(index for group in found for index in group.members) == [*range(len(subjects))]
    for group in found:
        for index in group.members:
            assert subjects[index].architecture == group.architecture
            assert subjects[index].task == group.task


def test_variants_of_one_plugin_are_numbered_in_the_order_in_which_they_appear() -> None:
    assert [group.name for group in groups(TWO)] == ["mlp-1", "mlp-2"]
    assert [group.architecture.hidden for group in groups(TWO)] == [(4,), (5,)]  # type: ignore[attr-defined]
    several = "subjects.architectures=[{name: mlp, hidden: [4]}, knet4, {name: mlp, hidden: [5]}]"
    labels = architecture_labels(expand(read_text(TEXT, overrides=(several,))))
    assert set(labels) == {"mlp-1", "knet4", "mlp-2"}


def test_tasks_that_differ_in_their_images_are_different_groups() -> None:
    sizes = "subjects.tasks=[{name: digits, train_images: [16, 20], probe_images: 10}]"
    found = groups(sizes, "subjects.batch_size=8")
    assert [group.name for group in found] == ["mlp-digits-1", "mlp-digits-2"]
    assert [group.task.train_images for group in found] == [16, 20]
    derived = "{name: rotation, train_images: 16, validation_images: 12, probe_images: 10"
    both = f"subjects.tasks=[{derived}}}, {derived}, of: mnist_5k}}]"
    assert {group.name for group in groups(both)} == {
        "mlp-rotation-digits",
        "mlp-rotation-mnist_5k",
    }


def test_the_name_of_a_users_module_becomes_the_name_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUALLAB_PLUGINS", "")
    (tmp_path / "lab_nets.py").write_text("from torch.nn import Linear as Net")
    plugins.load([str(tmp_path / "lab_nets.py")])
    own = "subjects.architectures=[{name: 'lab_nets:Net', in_features: 4, out_features: 3}]"
    assert [group.name for group in groups(own)] == ["lab_nets.Net"]
    del sys.modules["lab_nets"]


def test_a_setting_called_label_is_not_the_name_of_a_task() -> None:
    task = REGISTERED["spoken_words"](label="speaker", train_images=16)
    made = [replace(one, task=task) for one in expand(read_text(TEXT))]
    assert set(task_labels(made)) == {"spoken_words"}


def test_the_task_is_part_of_the_name_only_where_there_are_several() -> None:
    assert [group.name for group in groups()] == ["mlp"]
    assert {group.name for group in groups(TASKS)} == {"mlp-digits", "mlp-mnist_5k"}


def test_a_setting_that_was_added_leaves_the_identity_as_it_was() -> None:
    knet = "subjects.architectures=[{name: knet4, channels: [2, 3, 3]%s}]"
    [plain], [written], [other] = (
        groups(knet % more) for more in ("", ", pooling: 2", ", pooling: 3")
    )
    assert plain.identity == written.identity != other.identity
    assert "pooling" not in plain.identity


def test_the_identity_depends_on_the_network_and_not_on_the_other_groups() -> None:
    [alone], (first, second) = groups(), groups(TWO)
    assert alone.name != first.name
    assert alone.identity == first.identity
    assert first.identity != second.identity
    [other] = groups("subjects.tasks=[{name: digits, train_images: 17, probe_images: 10}]")
    assert other.identity != alone.identity


def test_layers_units_synapses_and_stimuli_are_those_of_the_network() -> None:
    [group] = groups()
    units, synapses = group.layer_sizes
    assert list(units) == list(synapses) == list(group.layout().layers)
    assert list(units.values()) == [4, 10]
    assert list(synapses.values()) == [64 * 4, 4 * 10]
    assert group.layout().size == 64 * 4 + 4 + 4 * 10 + 10
    assert group.n_stimuli == 10


@pytest.mark.parametrize(
    ("depths", "union"),
    [
        ({"a": ["x", "y"]}, ["x", "y"]),
        ({"a": ["x", "y"], "b": ["x", "z", "y"]}, ["x", "z", "y"]),
        ({"a": ["fc1", "fc2"], "b": ["fc1", "fc2", "fc3"]}, ["fc1", "fc2", "fc3"]),
        ({"a": ["only"], "b": ["in", "out"]}, ["in", "only", "out"]),
        ({}, []),
    ],
)
def test_layers_of_all_networks_are_ordered_by_mean_depth_then_name(
    depths: dict[str, list[str]], union: list[str]
) -> None:
    assert union_of_layers(depths) == union


def test_two_tasks_of_one_name_have_groups_and_labels_of_their_own() -> None:
    overrides = (
        "subjects.tasks=[{name: digits, train_images: 16, probe_images: 10}, "
        "{name: digits, train_images: 16, probe_images: 12}]"
    )
    assert {each.name: each.n_stimuli for each in groups(overrides)} == {
        "mlp-digits-1": 10,
        "mlp-digits-2": 12,
    }
    subjects = expand(read_text(TEXT, overrides=(overrides,)))
    assert set(task_labels(subjects)) == {"digits-1", "digits-2"}


def test_large_networks_are_prepared_some_visits_and_stimuli_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [group] = groups()
    assert group.part_size(7) == (7, 10)
    weights, stimulus = 12 * 310, 4 * (2 * (4 + 10) + 64 + 4)
    visit = weights + 10 * stimulus
    for room, size in (
        (7 * visit, (7, 10)),
        (7 * visit - 1, (6, 10)),
        (visit, (1, 10)),
        (visit - 1, (1, 9)),
        (weights + 3 * stimulus, (1, 3)),
        (1, (1, 1)),
    ):
        monkeypatch.setattr(network_group, "_PREPARED", room)
        assert group.part_size(7) == size


def test_an_outline_is_that_of_the_prepared_network() -> None:
    [group] = groups()
    prepared, outline = group.untrained(), group.outline(5)
    assert outline.layers == prepared.layers
    assert outline.units == {"fc1": 4, "fc2": 10}
    assert group.layer_sizes == (outline.units, outline.synapses)
    assert outline.maps == prepared.maps
    assert (outline.visits, len(outline.labels)) == (5, group.n_stimuli)
