"""Commands on recordings: identify a rule, and score the predictions of any decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import virtuallab
from virtuallab.cli.application import command
from virtuallab.cli.options import Scheduler, Workers, as_path


@command("Recordings")
def identify(
    decoder: Annotated[
        Path,
        typer.Argument(
            help="Saved decoder, NAME.decoder, or experiment, runs/NAME.zarr.", parser=as_path
        ),
    ],
    recording: Annotated[
        list[Path],
        typer.Argument(
            help="Recording; for NWB, a folder or one file for each visit.", parser=as_path
        ),
    ],
    match: Annotated[
        bool,
        typer.Option(
            "--match", help="Match the training recordings to the design of the recording."
        ),
    ] = False,
    fractions: Annotated[
        bool,
        typer.Option(
            "--fractions",
            help="With --match: match visits by fraction of learning, not by step.",
        ),
    ] = False,
    probe: Annotated[
        str | None, typer.Option(help="Probe of the experiment whose recordings train the decoder.")
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            help="Recording of the same kind, or experiment of simulated twins, relative to which "
            "features are read; can be repeated.",
            parser=as_path,
        ),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Subject, if the recording has several.")
    ] = None,
    stimuli_table: Annotated[
        str | None,
        typer.Option(help="For NWB: table of intervals with the stimuli [trials]."),
    ] = None,
    visits_from: Annotated[
        str | None,
        typer.Option(help="For NWB: table of intervals with the visits, such as epochs."),
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Option(
            help="Rule used to detect unknown rules only; can be repeated [from the analyses]."
        ),
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="Classifier of the decoder [kernel_svm].")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="File to which the decoder is saved, NAME.decoder.", parser=as_path),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Identify the learning rule in a recording, simulated or your own."""
    virtuallab.identify(
        decoder,
        recording,
        subject=subject,
        stimuli_table=stimuli_table,
        visits_from=visits_from,
        match=match,
        fractions=fractions,
        probe=probe,
        reference=reference or (),
        others=others or (),
        classifier=classifier,
        workers=workers,
        scheduler=scheduler,
        verbose=True,
        save=save,
    )


@command("Recordings")
def score(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="CSV file with a row for each subject: `subject`, and a column for each rule with "
            "its probability.",
            parser=as_path,
        ),
    ],
    labels: Annotated[
        Path,
        typer.Option(
            help="CSV file with the true answers: `subject`, `rule` and, if they are known, `kind` "
            "and `pair`.",
            parser=as_path,
        ),
    ],
    confidence: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    save: Annotated[
        Path | None,
        typer.Option(help="File to which the scores are written, NAME.json.", parser=as_path),
    ] = None,
) -> None:
    """Score the probabilities that any decoder stated for recordings."""
    virtuallab.score(predictions, labels, confidence=confidence, save=save, verbose=True)
