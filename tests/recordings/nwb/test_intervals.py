from __future__ import annotations

import numpy as np
import pytest
from pynwb import NWBFile
from pynwb.epoch import TimeIntervals
from pynwb.ophys import Fluorescence
from typer.testing import CliRunner

from tests.recordings.nwb.files import (
    DURATION,
    STIMULI,
    add_imaging,
    add_trials,
    firing,
    notes,
    pair,
    refusal,
    session,
    with_units,
    write,
)
from virtuallab.cli import app
from virtuallab.errors import UserError
from virtuallab.recordings import read_recording


def test_trials_that_say_too_little_are_refused(tmp_path):
    def no_trials(contents: NWBFile) -> None:
        contents.add_unit(spike_times=[0.1])

    def no_stimulus(contents: NWBFile) -> None:
        add_trials(contents, STIMULI, column="picture")
        contents.add_unit(spike_times=[0.1])

    def backwards(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)
        contents.add_trial(start_time=9.0, stop_time=9.0, stimulus="up")
        contents.add_unit(spike_times=[0.1])

    def no_units(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)

    def no_frames(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)
        add_imaging(contents, np.ones((15, 2)), Fluorescence, [1, 2], rate=10.0)

    for fill, said in (
        (no_trials, "there are no trials. Add them"),
        (no_stimulus, "found the columns start_time, stop_time, picture. Add a column stimulus or"),
        (backwards, "trial 3 (counted from 0) does not stop after it starts"),
        (no_units, "neither units with spike_times nor a RoiResponseSeries"),
        (no_frames, "trial 2 (counted from 0) has no frame of traces, of 0 to 1.4 s"),
    ):
        contents = session(0)
        fill(contents)
        assert said in refusal(write(contents, tmp_path / "one.nwb"))


def test_trials_in_invalid_times_are_left_out_and_counted(tmp_path):
    def invalid(contents: NWBFile) -> None:
        firing(last=3.2)(contents)  # from then on nothing was recorded
        contents.add_invalid_time_interval(start_time=3.1, stop_time=9.0)

    found = read_recording(pair(tmp_path, firing(), invalid))
    np.testing.assert_allclose(found["activity"][1, :, 0], 20.0)
    assert found.attrs["notes"] == ["1.nwb: 3 of 6 trials overlap invalid_times and were left out."]


def test_presentations_without_a_stimulus_are_left_out_and_counted(tmp_path):
    def blank(contents: NWBFile) -> None:
        with_units(1, 2, shown=["left", "nan", "right", "up", ""])(contents)

    folder = pair(tmp_path, with_units(1, 2), blank)
    assert read_recording(folder).sizes["stimulus"] == 3
    assert notes(folder) == ["1.nwb: 2 presentations of 5 without a stimulus were left out."]

    def unlabelled(contents: NWBFile) -> None:
        add_trials(contents, STIMULI, label=lambda name: {"left": "a", "right": "b"}.get(name, ""))
        contents.add_unit(spike_times=[0.1, 0.2, 1.3])

    found = read_recording(pair(tmp_path, unlabelled, unlabelled))
    assert found["stimulus_label"].values.tolist() == [0, 1, -1]


# Tables of intervals


def one_of_all(contents: NWBFile) -> None:
    """Two blocks of presentations in a table of their own, and trials that are something else."""
    add_trials(contents, ["go", "no go"], column="choice")
    table = TimeIntervals(name="image_presentations", description="-")
    table.add_column("stimulus_name", "-")
    contents.add_time_intervals(table)
    for place, name in enumerate([*STIMULI, "gray", *STIMULI]):
        table.add_interval(start_time=float(place), stop_time=place + DURATION, stimulus_name=name)
    contents.add_epoch(0.0, 2.9, ["early"])
    contents.add_epoch(4.0, 5.6, ["late"])
    contents.add_epoch(5.9, 9.0, ["late"])
    for one in range(2):
        # A unit that fires as fast again in the second block.
        times = np.concatenate([np.arange(0.01, 4, 0.1 + one), np.arange(4.01, 8, 0.05 + one / 2)])
        contents.add_unit(spike_times=times)


def test_visits_and_stimuli_are_those_of_the_tables_that_are_named(tmp_path):
    contents = session(0)
    one_of_all(contents)
    file = write(contents, tmp_path / "one.nwb")
    chosen = {"stimuli_table": "image_presentations", "visits_from": "epochs"}
    found = read_recording(file, **chosen)
    assert found["activity"].sizes == {"visit": 2, "stimulus": 3, "unit": 2}
    np.testing.assert_allclose(found["activity"][:, :, 0], [[10.0] * 3, [20.0] * 3])
    assert found.attrs["notes"] == [
        "one.nwb: 1 of 7 trials lie in no interval of epochs and were left out."
    ]
    assert (
        "Or choose another table of intervals with --stimuli-table: epochs, image_presentations."
    ) in refusal(file)
    for options, said in (
        ({"stimuli_table": "image_presentation"}, "Did you mean 'image_presentations'?"),
        ({**chosen, "visits_from": "epoch"}, "--visits-from: there is no table of intervals"),
        ({**chosen, "visits_from": "trials"}, "visit 1: not the stimuli of one.nwb, visit 0"),
    ):
        with pytest.raises(UserError) as caught:
            read_recording(file, **options)
        assert said in str(caught.value), caught.value


def test_the_command_takes_the_tables(tmp_path):
    contents = session(0)
    one_of_all(contents)
    file = write(contents, tmp_path / "one.nwb")
    words = ["identify", str(tmp_path / "none.decoder"), str(file)]
    tables = ["--stimuli-table", "image_presentations", "--visits-from", "epoch"]
    done = CliRunner().invoke(app, [*words, *tables])
    assert "--visits-from: there is no table of intervals 'epoch'" in str(done.exception)


def test_visits_that_alternate_are_refused(tmp_path):
    contents = session(0)
    one_of_all(contents)
    contents.add_epoch(10.0, 11.0, ["early"])
    file = write(contents, tmp_path / "one.nwb")
    with pytest.raises(UserError, match="the visits early and late of epochs overlap or alternate"):
        read_recording(file, stimuli_table="image_presentations", visits_from="epochs")
