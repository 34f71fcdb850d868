"""``identify``: the rule behind a recording, simulated here or made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.decoder.features.samples import Samples, stages
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.errors import UserError
from virtuallab.lab.identification.answer import answered
from virtuallab.lab.identification.decoder_training import Decoder, DecoderSettings
from virtuallab.lab.identification.differences import assumptions
from virtuallab.lab.identification.matched_decoder import (
    matched_decoder,
    probe_decoder,
    sample_of,
)
from virtuallab.lab.identification.own_recordings import check_own, training_subject
from virtuallab.lab.identification.references import (
    GivenRecording,
    open_references,
    reference_values,
)
from virtuallab.lab.services.console import Progress, Verbose, console_of
from virtuallab.lab.services.output_files import check_folder
from virtuallab.lab.services.scheduler import check_workers, open_pool
from virtuallab.lab.services.workers import stoppable
from virtuallab.lab.stages.experiment import resume
from virtuallab.lab.stages.nodes import check_living, check_preserved, check_trained, probes_in
from virtuallab.paths import expanded
from virtuallab.recordings import read_recording
from virtuallab.reporting import identification_summary
from virtuallab.store import Store
from virtuallab.store.decoders.metadata import DecoderMetadata
from virtuallab.store.decoders.persistence import (
    check_decoder_location,
    is_decoder,
    load_decoder,
    save_decoder,
)
from virtuallab.text import as_names, count_noun
from virtuallab.vocabulary import VISIT


@stoppable(goes_on=False)
def identify(
    decoder: str | Path,
    recording: str | Path | Sequence[str | Path],
    *,
    subject: str | None = None,
    stimuli_table: str | None = None,
    visits_from: str | None = None,
    match: bool = False,
    fractions: bool = False,
    probe: str | None = None,
    reference: str | Path | Sequence[str | Path] = (),
    others: Sequence[str] = (),
    classifier: str | None = None,
    workers: int | None = None,
    scheduler: str | Path | None = None,
    save: str | Path | None = None,
    verbose: Verbose = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Identify the rule behind a recording with a trained decoder.

    Parameters
    ----------
    decoder : Path
        A saved decoder, ``NAME.decoder``, or an experiment, ``NAME.zarr``, on whose subjects one is
        trained. It is kept in ``NAME.decoders`` and taken from there the next time.
    recording : Path or sequence of Path
        As for :func:`virtuallab.recordings.read_recording`.
    subject : str, optional
        Which of the recording's subjects, where there are many.
    stimuli_table, visits_from : str, optional
        As for :func:`virtuallab.recordings.read_recording`.
    match : bool
        Of an experiment: record its preserved subjects as the recording was made, and train on
        that.
    fractions : bool
        With ``match``: at the same fractions of learning, whatever the recording counts as steps.
    probe : str, optional
        Of an experiment: train on what this probe has recorded.
    reference : Path or sequence of Path
        Recordings of the recording's kind, or experiments of simulated twins of it, relative to
        whose centre features are read; their rules are not. All subjects of a file are references,
        and all of an experiment, ``TWINS.zarr``, which has one kind. Twins are recorded as the
        training subjects are: with ``match`` as the recording was made, otherwise by the probe of
        the same name. References of one unknown rule remove the signal.
    others : str or sequence of str
        Of an experiment: rules, by label, that are not to be named; those of its analyses if not
        given. From them the decoder learns what none of its rules looks like.
    classifier : str, optional
        Of an experiment: by which to decode; the analyses' default if not given.
    workers : int, optional
        Processes at once; as many as there are cores if not given.
    scheduler : str or Path, optional
        Of an experiment: cluster that records its subjects, as for :func:`virtuallab.run`.
        Processes of this machine if not given.
    save : str or Path, optional
        Where to write the decoder too, ``NAME.decoder``.
    verbose : bool or rich.console.Console
        Print progress and the result, on the terminal or on this console.
    progress : callable, optional
        Called with the name of a stage, how much of it is finished, and how much there is.

    Returns
    -------
    xr.Dataset
        Over ``rule``, with "no learning": ``probability``, ``p_value``, ``in_set``, whether the
        answer cannot be excluded. ``changed`` is the share of unchanging recordings that change
        at least as much, by noise; ``familiar`` that of known recordings that are at least as
        novel, ``typical`` that of those at least as far from all others. At each coarser level,
        ``optimizer_probability`` and ``optimizer_in_set`` (optimizer,) are those of its groups.
        Attributes: how good the decoder is (``accuracy``, ``interval``), ``coverage``, how often it
        excludes no learning (``excluded``), ``differences`` of the recording from those it was
        trained on, ``notes``, the number of ``references``, and the accuracy on kinds that are not
        in training, with its interval, for each choice of references (``held_out_kinds``).

    Raises
    ------
    UserError
        If the recording or a reference cannot be read, or the decoder cannot be asked of it; if
        the subjects of an experiment are not preserved; with references, if the training subjects
        are of one kind, or a saved decoder was trained without.
    StoreError
        If there is no such decoder or experiment, or it cannot be trusted.
    MachineError
        If what is read of an experiment is damaged.
    """
    console = console_of(verbose, progress)
    check_workers(scheduler, workers)
    decoder = expanded(decoder, "decoder")
    save = None if save is None else expanded(save, "save")
    files: Iterable[object] = [recording]
    if isinstance(recording, Iterable) and not isinstance(recording, str | Mapping):
        files = recording
    paths = [expanded(file, "recording") for file in files]
    several = [reference] if isinstance(reference, str | Path) else reference
    references = [expanded(file, "reference") for file in several]
    if save is not None:
        check_decoder_location(save)
        check_folder(save)
    for path in paths:
        check_own(path, subject)
    read = read_recording(paths, subject, stimuli_table=stimuli_table, visits_from=visits_from)
    given = GivenRecording(
        paths=tuple(paths),
        subject=subject,
        recording=read,
        stimuli_table=stimuli_table,
        visits_from=visits_from,
    )
    ready, probe_name = None, probe or ""
    if is_decoder(decoder):
        ready = load_decoder(decoder)
        probe_name = ready[1].probe_name
        # Fractions say where visits of twins are placed that are recorded as the recording was.
        has_fractions = fractions and (not references or bool(probe_name))
        _refuse_options(decoder, match, has_fractions, probe, others, classifier, scheduler)
        _check_centres(decoder, ready[0], references)
    sources = open_references(references, given, probe_name=probe_name, fractions=fractions)
    with open_pool(scheduler, workers, console) as pool:
        if ready is None:
            wanted = DecoderSettings(
                others=as_names(others),
                classifier=classifier,
                pool=pool,
                referenced=bool(references),
            )
            ready = _of_experiment(decoder, read, match, fractions, probe, wanted, console)
        trained, facts = ready
        sample = _sample(read, facts)
        relative_to = None
        if sources:
            relative_to = reference_values(sources, sample, facts, pool, console)
    known = [*assumptions(read, facts), *training_subject(paths, subject, facts)]
    found = answered(ready, sample, relative_to, read, known)
    console.print(identification_summary(found))
    # Last: where it cannot be written, the answer is there all the same.
    if save is not None:
        save_decoder(trained, facts, save)
        say(console, f"Decoder written: {save}")
    return found


def _refuse_options(
    decoder: Path,
    match: bool,
    fractions: bool,
    probe: str | None,
    others: Sequence[str],
    classifier: str | None,
    scheduler: str | Path | None,
) -> None:
    given = {
        "--match": match,
        "--fractions": fractions,
        "--probe": probe is not None,
        "--others": bool(others),
        "--classifier": classifier is not None,
        "--scheduler": scheduler is not None,
    }
    wrong = [option for option, is_given in given.items() if is_given]
    if wrong:
        raise UserError(
            f"{decoder} is trained already: {', '.join(wrong)} can be asked of an experiment, "
            "runs/NAME.zarr."
        )


def _check_centres(decoder: Path, trained: FittedDecoder, references: Sequence[Path]) -> None:
    """Refuse references for a decoder without centres, and a decoder with centres without them.

    Raises
    ------
    UserError
    """
    again = "virtuallab identify runs/NAME.zarr RECORDING"
    if references and trained.centres is None:
        raise UserError(
            f"{decoder} was trained without references. Leave --reference out, or train one with: "
            f"{again} --reference FILE --save NAME.decoder."
        )
    if trained.centres is not None and not references:
        raise UserError(
            f"{decoder} reads features relative to references. Give them with --reference, or "
            f"train one without: {again} --save NAME.decoder."
        )


def _of_experiment(
    path: Path,
    recording: xr.Dataset,
    match: bool,
    fractions: bool,
    probe: str | None,
    wanted: DecoderSettings,
    console: Console,
) -> Decoder:
    store = Store.open(path)
    check_trained(store)
    check_living(store)
    check_preserved(
        store,
        "no decoder for a recording can be trained: for that, null models are made of preserved "
        "states",
    )
    experiment = resume(store)
    if fractions and not match:
        raise UserError("--fractions says where --match places visits. Give it with --match.")
    if match and probe is not None:
        raise UserError("--match designs a probe itself. Give either --match or --probe.")
    if match:
        return matched_decoder(experiment, recording, wanted, console, fractions=fractions)
    if probe is not None:
        return probe_decoder(experiment, probe, wanted, console)
    known = ", ".join(f"--probe {name}" for name in probes_in(experiment.store))
    raise UserError(
        f"{path} is an experiment: say on which recordings of it a decoder is to be trained. "
        f"--match records its subjects as this recording was made"
        f"{f'; its own probes: {known}' if known else ''}."
    )


def _sample(recording: xr.Dataset, facts: DecoderMetadata) -> Samples:
    """What the decoder reads of the recording, if it has as many stages."""
    first = min(facts.visits)
    count = recording.sizes[VISIT] - (first == 0)
    found = len(stages(count))
    if found != facts.stages:
        raise UserError(
            f"the recording has {recording.sizes[VISIT]} visits, and the decoder was trained on "
            f"{len(facts.visits)}: they make {count_noun(found, 'stage')} of learning, not "
            f"{facts.stages}. Train one that fits: "
            "virtuallab identify runs/NAME.zarr RECORDING --match."
        )
    return sample_of(recording, first)
