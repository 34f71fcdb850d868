"""Decoding: each analysis is run on each of its probes, and its results are stored."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from tests.lab.stages.tiny import tiny_plan, trained_store
from virtuallab import seeds
from virtuallab.decoder import Analysis
from virtuallab.errors import NotDecoded, UserError
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages import decode as stage
from virtuallab.lab.stages.coverage import Coverage, DecodableProbes
from virtuallab.lab.stages.decode import decode_probes, recorded_features, recorded_noise
from virtuallab.lab.stages.nodes import stage as stage_of
from virtuallab.lab.stages.record import declare, record_probes
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.store import Store

PROBES = {
    "clean": Probe(observables=("activity",), units=4, keep="statistics"),
    "noisy": Probe(
        observables=("activity",), units=4, keep="statistics", noise=GaussianNoise(snr=1.0)
    ),
}
BOTH = DecodableProbes(["clean", "noisy"], [], [])
ANALYSIS = Analysis(observables=("activity",), folds=2, inner_folds=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store in which both probes have recorded; tests change its tables of results alone."""
    plan, folder = tiny_plan(), tmp_path_factory.mktemp("decode")
    store = trained_store(folder, plan)
    declare(plan, store, PROBES)
    record_probes(plan, store, PROBES, LocalPool(1), lambda _: None)
    return store


@pytest.fixture
def own(store: Store, tmp_path: Path) -> Store:
    """A copy of the store."""
    return Store.open(shutil.copytree(store.path.parent, tmp_path / "copy") / "lab.zarr")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace the evaluation of an analysis; the list has what it was given."""
    found: list[dict[str, Any]] = []

    def evaluate(features: xr.Dataset, analysis: Analysis, seed: int, **more: Any) -> xr.Dataset:
        found.append({"features": features, "analysis": analysis, "seed": seed, **more})
        return xr.Dataset(
            {"balanced_accuracy": ("observable", [len(found) / 10])},
            {"observable": ["activity"]},
            {"warnings": '["few"]'},
        )

    monkeypatch.setattr(stage, "evaluate", evaluate)
    return found


def decode(
    store: Store,
    analyses: dict[str, Analysis],
    probes: DecodableProbes = BOTH,
) -> str:
    page = io.StringIO()
    decode_probes(store, analyses, probes, seed=3, workers=1, console=Console(file=page, width=300))
    return page.getvalue()


def test_each_analysis_is_a_table_over_its_probes(
    store: Store, calls: list[dict[str, Any]]
) -> None:
    decode(store, {"main": ANALYSIS, "one": replace(ANALYSIS, probes=("noisy",))})
    main, one = (store.read(f"decoding/{name}") for name in ("main", "one"))
    assert main["probe"].values.tolist() == ["clean", "noisy"]
    assert main["balanced_accuracy"].values.tolist() == [[0.1], [0.2]]
    assert json.loads(str(main["warnings"].values[1])) == ["few"]
    assert (main.attrs["scheme"], main.attrs["confidence"]) == ("strict", 0.95)
    assert one["probe"].values.tolist() == ["noisy"]
    assert "partial" not in main.attrs
    assert "not_decoded" not in main.attrs


def test_the_seed_of_an_analysis_depends_on_its_name_and_probe(
    store: Store, calls: list[dict[str, Any]]
) -> None:
    decode(store, {"main": ANALYSIS, "second": ANALYSIS})
    assert [each["seed"] for each in calls] == [
        seeds.integer(3, "analysis", name, probe)
        for name in ("main", "second")
        for probe in ("clean", "noisy")
    ]


def test_a_decoder_is_given_features_and_rules_and_noise_where_there_is_some(
    store: Store, calls: list[dict[str, Any]]
) -> None:
    decode(store, {"main": ANALYSIS})
    clean, noisy = calls
    for given in calls:
        assert given["features"].sizes["subject"] == 4
        assert given["features"]["rule"].values.tolist() == ["backprop", "backprop", "fa", "fa"]
        assert {*given["features"].data_vars} == {"stat", "change", "flag"}
        assert given["performance"] is None, "there is no table of truth yet"
    assert clean["noise"] is None
    assert noisy["noise"].sizes == noisy["features"].sizes
    assert (noisy["noise"]["stat"].values != noisy["features"]["stat"].values).any()


def test_learning_curves_are_given_to_controls_without_settings_of_subjects(
    own: Store, calls: list[dict[str, Any]]
) -> None:
    curves = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
    coords = {
        "subject": own.subjects["subject"].values,
        "visit": [0, 1, 2],
        "rule": ("subject", own.subjects["rule"].values),
    }
    truth = xr.Dataset({"validation_performance": (("subject", "visit"), curves)}, coords)
    own.write_table("truth", truth)
    decode(own, {"main": ANALYSIS})
    performance = calls[0]["performance"]
    np.testing.assert_array_equal(performance, curves)
    assert {*performance.coords} == {"subject", "visit"}


def test_an_analysis_that_is_not_possible_is_stored_with_its_reason(
    store: Store, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    works: Callable[..., xr.Dataset] = stage.evaluate

    def evaluate(features: xr.Dataset, *arguments: Any, **settings: Any) -> xr.Dataset:
        if settings["noise"] is not None:
            raise NotDecoded("too few subjects")
        return works(features, *arguments, **settings)

    monkeypatch.setattr(stage, "evaluate", evaluate)
    said = decode(store, {"main": ANALYSIS})
    assert "too few subjects" in said
    found = store.read("decoding/main")
    assert found["probe"].values.tolist() == ["clean"]
    assert json.loads(found.attrs["not_decoded"]) == {"noisy": "too few subjects"}


def test_where_no_probe_can_be_decoded_the_table_has_the_reasons_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(*_: Any, **__: Any) -> xr.Dataset:
        raise NotDecoded("nothing measured")

    monkeypatch.setattr(stage, "evaluate", evaluate)
    decode(store, {"main": ANALYSIS})
    found = store.read("decoding/main")
    assert not found.data_vars
    assert json.loads(found.attrs["not_decoded"]).keys() == {"clean", "noisy"}


def test_the_number_of_recorded_subjects_is_the_first_warning(
    store: Store, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Coverage("noisy", recorded=4, wanted=9, untrained=0)
    monkeypatch.setattr(Analysis, "check", lambda *_, **__: iter(()))
    decode(store, {"main": ANALYSIS}, DecodableProbes(["clean", "noisy"], [part], []))
    found = store.read("decoding/main")
    assert json.loads(str(found["warnings"].values[0])) == ["few"]
    assert json.loads(str(found["warnings"].values[1])) == [
        "rests on 4 of 9 subjects; the others are not recorded",
        "few",
    ]
    assert found.attrs["partial"] == "probe 'noisy' has recorded 4 of 9 subjects"


def test_a_part_that_is_too_small_is_refused_before_anything_is_decoded(
    store: Store, calls: list[dict[str, Any]]
) -> None:
    part = Coverage("noisy", recorded=4, wanted=9, untrained=0)
    with pytest.raises(UserError, match=r"has recorded 4 of 9 subjects, which is too few: "):
        decode(store, {"main": ANALYSIS}, DecodableProbes(["clean", "noisy"], [part], []))
    assert calls == []


def test_an_analysis_without_a_recorded_probe_is_refused(
    store: Store, calls: list[dict[str, Any]]
) -> None:
    other = {"main": ANALYSIS, "other": replace(ANALYSIS, probes=("absent",))}
    with pytest.raises(UserError, match="analysis 'other': no probe that it reads has recorded"):
        decode(store, other)
    assert calls == []


def test_features_are_those_of_the_subjects_that_were_recorded(own: Store) -> None:
    whole = recorded_features(own, "noisy")
    (own.path.with_suffix(".records") / stage_of("noisy") / "000001.json").unlink()
    opened = Store.open(own.path)
    some, noise = recorded_features(opened, "noisy"), recorded_noise(opened, "noisy")
    assert some["subject"].values.tolist() == ["sub-0001", "sub-0003", "sub-0004"]
    np.testing.assert_array_equal(some["change"], whole["change"][[0, 2, 3]])
    assert noise is not None
    assert noise["subject"].values.tolist() == some["subject"].values.tolist()
    assert recorded_noise(opened, "clean") is None
    with pytest.raises(UserError, match="probe 'absent' has recorded no subject"):
        recorded_features(opened, "absent")
