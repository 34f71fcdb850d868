"""The truth as one table of subjects whose layers differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from tests.protocol.texts import SMALL
from virtuallab.lab.planning.subject_table import describe_subjects, design_coordinates, truth
from virtuallab.protocol import expand, read_text
from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.subject import Subject
from virtuallab.vocabulary import describe

LAYERS = ["fc1", "fc2", "fc3", "conv1", "conv2"]
LAYERS_OF = {0: ["fc1", "fc2", "fc3"], 1: ["conv1", "conv2", "fc3"]}
SUBJECTS = xr.Dataset(
    {"rule": ("subject", np.array(["a", "b"], dtype=object))},
    coords={"subject": np.array(["sub-0001", "sub-0002"], dtype=object)},
)
VISITS = xr.Dataset(coords={"visit": [0, 1], "step": ("visit", [0, 9])})
RECORDS = {
    1: {"truth": {"weight_angle": [[90, 80, 70], [60, 50, 40]], "validation_loss": [2.3, 0.5]}}
}


def made() -> xr.Dataset:
    return truth(SUBJECTS, RECORDS, LAYERS, LAYERS_OF, VISITS)


def test_each_measure_lies_at_its_subject_and_its_layer() -> None:
    angle = made()["weight_angle"].sel(subject="sub-0002")
    np.testing.assert_array_equal(angle.sel(layer=LAYERS_OF[1]), [[90, 80, 70], [60, 50, 40]])
    assert np.isnan(angle.sel(layer=["fc1", "fc2"])).all()
    assert np.isnan(made()["weight_angle"].sel(subject="sub-0001")).all()
    assert made()["weight_angle"].attrs["units"] == "degree"


def test_depth_tells_the_order_of_a_subjects_own_layers() -> None:
    depth = made()["layer_depth"]
    for place, own in LAYERS_OF.items():
        np.testing.assert_array_equal(depth.isel(subject=place).sel(layer=own), [0, 0.5, 1])
    assert int(np.isnan(depth).sum()) == 4


def test_an_optimizer_of_backward_weights_has_columns_of_its_own() -> None:
    noisy, plain = (
        Subject(
            architecture=ARCHITECTURES["mlp"](),
            task=TASKS["digits"](),
            rule=RULES["kolen_pollack"](),
            optimizer=OPTIMIZERS["sgd"](learning_rate=0.02),
            feedback_optimizer=own,
            label="kolen_pollack",
            batch_size=32,
            steps=100,
            replicate=0,
            seed=1,
        )
        for own in (OPTIMIZERS["sgd"](learning_rate=0.5, noise=0.4), None)
    )
    table = describe_subjects([noisy, plain])
    np.testing.assert_array_equal(table["feedback_noise"], [0.4, np.nan])
    np.testing.assert_array_equal(table["feedback_learning_rate"], [0.5, np.nan])
    np.testing.assert_array_equal(table["noise"], [0, 0])


def test_the_table_tells_the_loss_and_the_family_of_each_architecture() -> None:
    usual = Subject(
        architecture=ARCHITECTURES["knet4"](),
        task=TASKS["digits"](),
        rule=RULES["backprop"](),
        optimizer=OPTIMIZERS["sgd"](),
        label="backprop",
        batch_size=32,
        steps=100,
        replicate=0,
        seed=1,
    )
    others = [replace(usual, architecture=ARCHITECTURES[a]()) for a in ("knet5", "mlp", "resnet18")]
    table = describe_subjects([usual, *others, replace(usual, loss="squared_error")])
    assert list(table["family"].values) == ["knet", "knet", "mlp", "resnet", "knet"]
    assert list(table["loss"].values) == ["cross_entropy"] * 4 + ["squared_error"]
    assert {"family", "loss"} <= set(design_coordinates(table))
    assert describe("family") == {"long_name": "family of the architecture"}
    assert describe("loss") == {"long_name": "loss that the subject minimises"}


def test_curricula_and_schedules_have_columns_only_where_one_is_not_the_default() -> None:
    usual = expand(read_text(SMALL))
    assert not {"curriculum", "schedule"} & set(describe_subjects(usual).data_vars)
    many = expand(
        read_text(
            SMALL,
            overrides=(
                "subjects.curriculum=[shuffled, {name: imbalanced, ratio: [2, 5]}]",
                "subjects.schedule=cosine",
            ),
        )
    )
    table = describe_subjects(many)
    assert sorted(set(table["curriculum"].values)) == ["imbalanced-1", "imbalanced-2", "shuffled"]
    assert set(table["schedule"].values) == {"cosine"}
    assert {"curriculum", "schedule"} <= set(design_coordinates(table))
    assert table["curriculum"].attrs == describe("curriculum")
    assert "long_name" in describe("schedule")


def test_precision_is_a_column_only_where_it_is_not_the_default() -> None:
    assert "precision" not in describe_subjects(expand(read_text(SMALL)))
    mixed = describe_subjects(expand(read_text(SMALL, overrides=("subjects.precision=mixed",))))
    assert set(mixed["precision"].values) == {"mixed"}
    assert mixed["precision"].attrs == {"long_name": "precision of training"}


def test_a_pretraining_is_a_column() -> None:
    start = "subjects.start_from={rule: {name: oja}, optimizer: {name: sgd, learning_rate: %s}}"
    table = describe_subjects(expand(read_text(SMALL, overrides=(start % "[0.1, 0.2]",))))
    assert sorted(set(table["start_from"].values)) == ["oja on own-1", "oja on own-2"]
    assert "start_from" in design_coordinates(table)
    plain = describe_subjects(expand(read_text(SMALL)))
    assert {*table.data_vars} - {*plain.data_vars} == {"start_from"}


def test_pairs_are_numbered_and_only_a_paired_design_has_them() -> None:
    paired = expand(read_text(SMALL, overrides=("subjects.paired=data_order",)))
    table = describe_subjects(paired)
    assert table["replicate"].values.tolist() == [0, 1, 0, 1]
    assert table["pair"].values.tolist() == [0, 1, 0, 1]
    assert table["pair"].attrs == describe("pair")
    assert "pair" in design_coordinates(table)
    plain = describe_subjects(expand(read_text(SMALL)))
    assert {*table.data_vars} - {*plain.data_vars} == {"pair"}


def test_every_column_says_what_it_is_and_in_what_unit() -> None:
    table = describe_subjects(expand(read_text(SMALL)))
    of_optimizers = {
        *("learning_rate", "momentum", "nesterov", "noise", "noise_fraction", "weight_decay")
    }
    for name, column in table.data_vars.items():
        said = dict(column.attrs)
        part = said.pop("part", None)
        assert said == describe(str(name))
        assert (part == "optimizer") == (str(name) in of_optimizers), name
    assert table["steps"].attrs["long_name"]
