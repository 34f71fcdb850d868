"""The command on a recording: its options reach the function of Python."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calls import called_with, invoke, options_of


def test_without_options_the_defaults_are_passed() -> None:
    called_with(
        ["identify", "a.decoder", "day1.nwb", "day2.nwb"],
        Path("a.decoder"),
        [Path("day1.nwb"), Path("day2.nwb")],
        subject=None,
        stimuli_table=None,
        visits_from=None,
        match=False,
        fractions=False,
        probe=None,
        reference=(),
        others=(),
        classifier=None,
        workers=None,
        scheduler=None,
        verbose=True,
        save=None,
    )


def test_options_of_identify_are_passed() -> None:
    words = [
        *("identify", "a.zarr", "r.nc", "--match", "--fractions", "--probe", "p"),
        *("--subject", "mouse", "--stimuli-table", "gratings", "--visits-from", "epochs"),
        *("--others", "slow", "--others", "fast", "--classifier", "linear_svm"),
        *("--reference", "twins.zarr", "--reference", "naive.nc"),
        *("--save", "b.decoder", "--workers", "2", "--scheduler", "s.json"),
    ]
    assert options_of("identify") <= {*words}
    called_with(
        words,
        Path("a.zarr"),
        [Path("r.nc")],
        subject="mouse",
        stimuli_table="gratings",
        visits_from="epochs",
        match=True,
        fractions=True,
        probe="p",
        reference=[Path("twins.zarr"), Path("naive.nc")],
        others=["slow", "fast"],
        classifier="linear_svm",
        workers=2,
        scheduler="s.json",
        verbose=True,
        save=Path("b.decoder"),
    )


def test_a_recording_is_required() -> None:
    done = invoke("identify", "a.decoder")
    assert done.exit_code == 2
    assert "missing argument 'recording" in done.stderr.lower()


def test_options_of_score_are_passed() -> None:
    words = ["score", "p.csv", "--labels", "l.csv", "--confidence", "0.9", "--save", "s.json"]
    assert options_of("score") <= {*words}
    called_with(
        words,
        Path("p.csv"),
        Path("l.csv"),
        confidence=0.9,
        save=Path("s.json"),
        verbose=True,
    )


def test_score_needs_labels() -> None:
    done = invoke("score", "p.csv")
    assert done.exit_code == 2
    assert "missing option '--labels'" in done.stderr.lower()
