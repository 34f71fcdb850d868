"""``open``: the tree of an experiment, without what is damaged where work goes on."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from pathlib import Path

import pytest
import xarray as xr

import virtuallab as vl
from virtuallab.errors import VirtuallabWarning
from virtuallab.lab.open import open_undamaged, warn_of
from virtuallab.store.integrity.damage import Damage


def test_a_path_may_begin_with_the_home_folder(
    experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(experiment.parent))
    assert vl.open("~/lab.zarr").attrs["title"] == "tiny"


def test_after_work_an_experiment_without_damage_is_opened_without_a_warning(
    recorded_once: Path,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = open_undamaged(recorded_once / "lab.zarr")
    assert tree.identical(vl.open(recorded_once / "lab.zarr"))


def test_after_work_a_damaged_part_is_left_out_with_a_warning_that_names_the_file(
    experiment: Path,
) -> None:
    (experiment / "recordings" / "some" / "mlp" / "zarr.json").write_bytes(b"x")
    with pytest.warns(VirtuallabWarning, match=r"left out: .*some/mlp/zarr\.json is damaged"):
        tree = open_undamaged(experiment)
    assert "/recordings/some/mlp" not in tree.groups
    assert "/features/some" in tree.groups


def test_the_damaged_parts_are_handed_to_the_function_that_opens_the_tree(experiment: Path) -> None:
    (experiment / "features" / "some" / "zarr.json").unlink()
    calls: list[tuple[Path, set[str]]] = []

    def opening(path: Path, without: Collection[str]) -> xr.DataTree:
        calls.append((path, {*without}))
        return xr.DataTree()

    with pytest.warns(VirtuallabWarning):
        open_undamaged(experiment, opening)
    assert calls == [(experiment, {"features/some"})]


def test_there_is_one_warning_for_each_damaged_file() -> None:
    damage = [Damage(Path(name), "is missing", "virtuallab run") for name in ("a", "b")]
    with pytest.warns(VirtuallabWarning) as caught:
        warn_of(damage)
    assert [str(each.message).split()[2] for each in caught] == ["a", "b"]
