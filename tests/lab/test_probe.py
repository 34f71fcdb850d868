"""``probe``: probes are implanted in preserved subjects, or removed."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import virtuallab as vl
from tests.lab.stages.tiny import TEXT
from tests.store.toy import contents
from virtuallab.errors import Interrupted, ProtocolError, StoreError, UserError
from virtuallab.lab import probe as command
from virtuallab.store import Store, writer

FEW = ["probes.few={units: 1, observables: [activity], keep: statistics}"]


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def said(store: Path, **options: object) -> str:
    console = Console(file=io.StringIO(), width=1000)
    vl.probe(store, verbose=console, workers=1, **options)  # type: ignore[arg-type]
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_new_probe_is_added_and_subjects_and_other_probes_stay_as_they_are(
    experiment: Path, recorded_once: Path, protocol: Path
) -> None:
    before = vl.open(recorded_once / "lab.zarr")
    tree = vl.probe(experiment, protocol, FEW, workers=1)
    assert set(tree["features"]) == {"few", "some"}
    assert set(tree["recordings"]) == {"some"}, "the new one keeps its statistics alone"
    for node in ("subjects", "truth", "snapshots/mlp", "recordings/some/mlp", "features/some"):
        assert tree[node].to_dataset().identical(before[node].to_dataset()), node


def test_without_a_protocol_only_what_is_missing_is_recorded(
    experiment: Path, recorded_once: Path
) -> None:
    lost = experiment.with_name("lab.records") / "probe-some" / "000002.json"
    lost.unlink()
    recorded: list[int] = []
    whole = Store.commit

    def counted(store: Store, stage: str, index: int, record: dict[str, object]) -> None:
        recorded.append(index)
        whole(store, stage, index, record)

    with mock.patch.object(Store, "commit", counted):
        vl.probe(experiment, workers=1)
    assert recorded == [2]
    assert contents(experiment) == contents(recorded_once / "lab.zarr")


def test_overrides_without_a_protocol_add_a_probe_to_the_experiments_own(
    experiment: Path, protocol: Path, recorded_once: Path
) -> None:
    tree = vl.probe(experiment, overrides=FEW, workers=1)
    assert set(tree["features"]) == {"few", "some"}
    other = shutil.copytree(recorded_once, experiment.parent.with_name("other")) / "lab.zarr"
    vl.probe(other, protocol, FEW, workers=1)
    assert contents(experiment) == contents(other)


def test_a_recorded_probe_is_not_overridden(experiment: Path) -> None:
    before = contents(experiment)
    with pytest.raises(StoreError, match=r"'some' is there with other settings: probes\.some\."):
        vl.probe(experiment, overrides="probes.some.units=1")
    with pytest.raises(ProtocolError, match=r"^-s probes\.few=.*: probes\.few\.visits: in mlp"):
        vl.probe(experiment, overrides="probes.few={visits: 9}")
    assert contents(experiment) == before


@pytest.mark.parametrize("override", ["seed=4", "subjects.steps=9", "analyses.main.folds=2"])
def test_overrides_that_would_change_nothing_are_refused(
    experiment: Path, protocol: Path, override: str
) -> None:
    words = "has no effect: `virtuallab probe` uses only the section 'probes' of a protocol"
    for given in (None, protocol):
        with pytest.raises(ProtocolError, match=f"^-s {override}: .*: {words}"):
            vl.probe(experiment, given, [*FEW, override])
    assert set(vl.open(experiment)["features"]) == {"some"}


def test_a_probe_that_is_not_there_is_not_removed_and_neither_is_one_named_beside_it(
    experiment: Path,
) -> None:
    before = contents(experiment)
    with pytest.raises(UserError, match=r"no probe 'sme'\. Did you mean 'some'\?"):
        vl.probe(experiment, remove=["some", "sme"])
    assert contents(experiment) == before


def test_a_probe_is_removed_with_all_that_it_recorded(experiment: Path) -> None:
    assert "Probe some removed, with 8 recordings." in said(experiment, remove=["some", "some"])
    tree = vl.open(experiment)
    assert not {"/features/some", "/recordings/some"} & {*tree.groups}
    assert not (experiment.with_name("lab.records") / "probe-some").exists()
    assert np.isfinite(tree["snapshots/mlp/state"]).all()


def test_probes_are_either_implanted_or_removed(experiment: Path, protocol: Path) -> None:
    for more in ({"protocol": protocol}, {"overrides": FEW}):
        with pytest.raises(UserError, match="give no protocol and no settings"):
            vl.probe(experiment, remove=["some"], **more)  # type: ignore[arg-type]
    assert "/features/some" in vl.open(experiment).groups


def test_analyses_that_were_decoded_from_a_removed_probe_are_named(experiment: Path) -> None:
    with writer(experiment):
        store = Store.open(experiment)
        for analysis, probe in (("first", "some"), ("second", "other")):
            names = np.array([probe], dtype=object)
            table = xr.Dataset({"x": ("probe", [1.0])}, coords={"probe": names})
            store.write_table(f"decoding/{analysis}", table)
        store.finish()
    text = said(experiment, remove="some")
    words = "Analysis first still holds what was decoded from it, until virtuallab decode"
    assert f"{words} {experiment} replaces it." in text
    assert "Analysis second" not in text


def test_a_probe_that_the_preserved_subjects_do_not_allow_adds_nothing(
    experiment: Path, protocol: Path
) -> None:
    before = contents(experiment)
    with pytest.raises(ProtocolError, match=r"probes\.few\.visits: in mlp"):
        vl.probe(experiment, protocol, [*FEW, "probes.few.visits=9"])
    assert contents(experiment) == before


def test_subjects_that_are_not_trained_cannot_be_recorded(experiment: Path) -> None:
    shutil.rmtree(experiment.with_name("lab.records") / "subjects")
    with pytest.raises(UserError, match=r"0 of 8 subjects are trained\. First: `virtuallab run"):
        vl.probe(experiment)


def test_an_interrupted_recording_goes_on_with_the_same_command(
    experiment: Path, protocol: Path
) -> None:
    with (
        mock.patch.object(command, "record_probes", side_effect=KeyboardInterrupt),
        pytest.raises(Interrupted, match="the same command goes on from here"),
    ):
        vl.probe(experiment, protocol, FEW)
    assert "/features/few" in vl.open(experiment).groups, "its settings are kept"
