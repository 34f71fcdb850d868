from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from tests.accessor.recordings import recording as made_up
from virtuallab.accessor import RecordingAccessor


def printed(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_opening_a_store_gives_recordings_their_lab(store: Path) -> None:
    script = (
        "import sys, virtuallab as vl; tree = vl.open(sys.argv[1]); "
        "print(type(tree['recordings/units_200/knet4'].to_dataset().lab).__name__, "
        "'matplotlib' in sys.modules)"
    )
    assert printed(script, str(store)) == "RecordingAccessor False"


def test_every_dataset_has_a_lab_and_says_what_it_lacks_only_when_asked() -> None:
    assert isinstance(xr.Dataset().lab, RecordingAccessor)


@pytest.mark.parametrize("cut", ["unit_index", "stimulus_label", "stimulus_index"])
def test_indices_may_be_one_for_all_subjects(cut: str) -> None:
    recording = made_up()
    shared = recording.assign({cut: recording[cut].isel(subject=0, drop=True)})
    lab = shared.lab.select(rule="adam", layer="conv1").lab
    assert lab.rdm().sizes["stimulus"] == 12
    assert lab.tuning().sizes["stimulus_class"] == 3
    assert lab.trial_average().sizes["unit"] == 6
    assert lab.plot_rdm() is not None


def test_units_may_change_from_visit_to_visit() -> None:
    recording = made_up()
    index = recording["unit_index"].expand_dims(visit=recording["visit"], axis=1)
    lab = recording.assign(unit_index=index).lab
    assert lab.rdm_similarity().dims == ("subject", "layer", "visit", "visit_2")
    assert lab.trial_average()["unit_index"].dims == ("subject", "visit", "unit")
