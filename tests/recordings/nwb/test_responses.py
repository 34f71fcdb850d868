from __future__ import annotations

import numpy as np
import pytest
from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries

from tests.recordings.nwb.files import (
    STIMULI,
    TRACES,
    add_imaging,
    add_trials,
    experiment,
    firing,
    imaged,
    pair,
    refusal,
    session,
    slowly,
    spikes,
    write,
)
from virtuallab.probes.statistics.features import features
from virtuallab.recordings import read_recording


def test_responses_are_rates_in_trials_averaged_over_repeats(tmp_path):
    ids = [[3, 4, 8], [8, 3, 4]]
    _, fired = experiment(tmp_path, ids, layer="layer")
    found = read_recording(tmp_path)
    assert found["activity"].dims == ("visit", "stimulus", "unit")
    assert found["layer"].values.tolist() == ["CA1", "CA3"]
    assert found["unit_layer"].values.tolist() == ["CA1", "CA3", "CA3"]
    for visit in range(2):
        for stimulus in range(3):
            for place, one in enumerate((3, 4, 8)):
                trials = range(stimulus, 12, 3)
                wanted = np.mean([slowly(fired[visit][one], trial) for trial in trials])
                got = float(found["activity"][visit, stimulus, place])
                assert got == pytest.approx(wanted, rel=1e-6)
    assert found["stimulus_label"].values.tolist() == [0, 0, 1]
    assert found["stimulus_label"].attrs["flag_meanings"] == "flat steep"
    assert found.attrs["repeats"] == 4
    assert found.attrs["dropped_units"] == 0
    assert np.isfinite(features(found)["change"].sel(change_name="act_separation")).all()


def test_layers_are_those_of_electrode_groups_where_no_column_names_them(tmp_path):
    for day in range(2):
        contents = session(day)
        add_trials(contents, STIMULI)
        device = contents.create_device("probe")
        groups = [
            contents.create_electrode_group(name, description="-", location=name, device=device)
            for name in ("V1", "LM")
        ]
        draw = np.random.default_rng(day)
        for place in range(4):
            times = spikes(np.full(3, 30.0), draw)
            contents.add_unit(spike_times=times, electrode_group=groups[place // 2])
        write(contents, tmp_path / f"{day}.nwb")
    found = read_recording(tmp_path)
    assert found["unit_layer"].values.tolist() == ["V1", "V1", "LM", "LM"]


def test_layers_are_those_of_electrodes_and_in_the_order_of_a_depth(tmp_path):
    for day in range(2):
        contents = session(day)
        add_trials(contents, STIMULI)
        device = contents.create_device("probe")
        group = contents.create_electrode_group("g", description="-", location="V1", device=device)
        for name in ("L5", "L2"):
            contents.add_electrode(group=group, location=name)
        contents.add_unit_column("depth", "um")
        draw = np.random.default_rng(day)
        for place in range(4):
            times = spikes(np.full(3, 30.0), draw)
            contents.add_unit(spike_times=times, electrodes=[place // 2], depth=500.0 - 100 * place)
        write(contents, tmp_path / f"{day}.nwb")
    assert read_recording(tmp_path)["layer"].values.tolist() == ["L2", "L5"]


@pytest.mark.parametrize("kind", [Fluorescence, DfOverF, RoiResponseSeries])
def test_fluorescence_is_averaged_over_the_frames_of_each_trial(tmp_path, kind):
    shown = [*STIMULI, *STIMULI]
    times = 0.03 + np.arange(60) / 10
    traces = [np.random.default_rng(day).random((60, 3)) for day in range(2)]
    for day, (ids, said) in enumerate(
        [([5, 6, 7], {"rate": 10.0, "starting_time": 0.03}), ([7, 6, 4], {"timestamps": times})]
    ):
        contents = session(day)
        add_trials(contents, shown)
        add_imaging(contents, traces[day], kind, ids, **said)
        write(contents, tmp_path / f"{day}.nwb")
    found = read_recording(tmp_path)
    assert found["layer"].values.tolist() == ["V1 L2/3"]
    assert found.attrs["dropped_units"] == 2
    for visit, columns in enumerate([(1, 2), (1, 0)]):  # of units 6 and 7
        for stimulus in range(3):
            inside = [(times >= t) & (times < t + 0.5) for t in (stimulus, stimulus + 3)]
            wanted = np.mean([traces[visit][one].mean(0) for one in inside], axis=0)
            got = found["activity"][visit, stimulus]
            np.testing.assert_allclose(got, wanted[list(columns)], rtol=1e-6)


def test_units_of_several_planes_are_told_apart_and_lie_in_the_layers_of_these(tmp_path):
    for day in range(2):
        contents = session(day)
        add_trials(contents, STIMULI)
        module = contents.create_processing_module("ophys", "-")
        segmentation, traces = ImageSegmentation(), Fluorescence()
        module.add([segmentation, traces])
        microscope = contents.create_device("microscope")
        for place, where in enumerate(("L2/3", "L5")):
            plane = contents.create_imaging_plane(
                name=f"plane {place}",
                optical_channel=OpticalChannel(name="o", description="-", emission_lambda=510.0),
                description="-",
                device=microscope,
                excitation_lambda=920.0,
                indicator="GCaMP6s",
                location=where,
            )
            regions = segmentation.create_plane_segmentation(
                name=f"regions {place}", description="-", imaging_plane=plane
            )
            for one in range(2 - place):
                regions.add_roi(id=one, pixel_mask=[(one, 0, 1.0)])
            traces.create_roi_response_series(
                name=f"traces {place}",
                # Of a single region the file leaves out the axis.
                data=np.arange(60.0) if place else np.random.default_rng(day).random((60, 2)),
                rois=regions.create_roi_table_region(
                    region=list(range(2 - place)), description="all"
                ),
                unit="a",
                rate=10.0,
            )
        write(contents, tmp_path / f"{day}.nwb")
    found = read_recording(tmp_path)
    assert found["unit_layer"].values.tolist() == ["L2/3", "L2/3", "L5"]
    assert found["activity"].values[0, :, 2].tolist() == [2.0, 12.0, 22.0]


def test_numbers_are_scaled_and_shifted_as_the_file_says(tmp_path):
    stored = np.round((TRACES - 0.5) / 1e-3).astype(np.int16)
    packed = imaged(traces=stored, conversion=1e-3, offset=0.5)
    found = read_recording(pair(tmp_path, imaged(), packed))["activity"]
    np.testing.assert_allclose(found[1], found[0], atol=1e-3)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"conversion": float("nan")}, "the conversion of "),
        ({"conversion": float("inf")}, "the conversion of "),
        ({"conversion": 0.0}, "the conversion of "),
        ({"offset": float("-inf")}, "the offset of "),
    ],
)
def test_a_scale_by_which_nothing_can_be_read_is_refused(tmp_path, said, words):
    found = refusal(pair(tmp_path, imaged(), imaged(**said)))
    assert words in found
    assert f"is {next(iter(said.values())):g};" in found


@pytest.mark.filterwarnings("ignore:RoiResponseSeries")  # pynwb, as the file is written
def test_exchanged_axes_are_named(tmp_path):
    message = refusal(pair(tmp_path, imaged(), imaged(traces=TRACES.T)))
    assert "1.nwb: the data of traces have the shape (3, 60): their axes are exchanged" in message
    message = refusal(pair(tmp_path, imaged(), imaged(traces=TRACES[:, :2])))
    assert "have the shape (60, 2), expected time by region, for 3 regions" in message


def test_a_trial_with_a_frame_that_is_missing_is_missing(tmp_path):
    gaps = TRACES.copy()
    gaps[2] = np.nan
    gaps[33, 1] = np.nan
    found = read_recording(pair(tmp_path, imaged(), imaged(traces=gaps)))
    assert "observed" in found
    assert not found["observed"][0, 1]  # shown in trials 0 and 3
    wanted = TRACES[30:35].mean(0)
    np.testing.assert_allclose(found["activity"][1, 0, [0, 2]], wanted[[0, 2]], rtol=1e-6)
    assert "1.nwb: 4 of 18 responses in single trials are missing" in found.attrs["notes"][0]


def test_outside_of_its_intervals_a_unit_is_missing_not_silent(tmp_path):
    # Unit 0 until the middle of trial 3: 3 of its 6 trials; intervals that touch are one.
    half = firing(lambda one: [[0.0, 3.25]] if one == 0 else [[0.0, 2.2], [2.2, 6.0]])
    found = read_recording(pair(tmp_path, firing(), half))
    np.testing.assert_allclose(found["activity"][1, :, 0], 20.0)
    np.testing.assert_allclose(found["activity"][1], found["activity"][0])
    assert found.attrs["notes"] == [
        "1.nwb: 3 of 18 responses in single trials are missing: the unit was not observed "
        "throughout the trial, or a value of it is NaN."
    ]
