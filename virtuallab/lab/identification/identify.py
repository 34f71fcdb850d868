"""``identify``: the rule behind a recording, simulated here or made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.decoder.features.samples import Samples, stages
from virtuallab.decoder.levels import GROUP, coarse_probability, coarse_sets
from virtuallab.decoder.uncertainty.conformal import share_at_least
from virtuallab.errors import UserError
from virtuallab.lab.identification.decoder_training import Decoder, DecoderSettings
from virtuallab.lab.identification.differences import assumptions, differences
from virtuallab.lab.identification.matched_decoder import (
    matched_decoder,
    probe_decoder,
    sample_of,
)
from virtuallab.lab.identification.null_recordings import total_change
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
from virtuallab.store.decoders.metadata import DecoderMetadata, LevelAccuracy
from virtuallab.store.decoders.persistence import (
    check_decoder_location,
    is_decoder,
    load_decoder,
    save_decoder,
)
from virtuallab.store.layout.location import records_folder
from virtuallab.text import as_names, count_noun
from virtuallab.vocabulary import SUBJECT, VISIT, describe


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
        trained on, ``notes``.

    Raises
    ------
    UserError
        If the recording cannot be read, or the decoder cannot be asked of it; if the subjects of
        an experiment are not preserved.
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
    if save is not None:
        check_decoder_location(save)
        check_folder(save)
    for path in paths:
        _check_own(path, subject)
    read = read_recording(paths, subject, stimuli_table=stimuli_table, visits_from=visits_from)
    if is_decoder(decoder):
        _refuse_options(decoder, match, fractions, probe, others, classifier, scheduler)
        trained, facts = load_decoder(decoder)
    else:
        with open_pool(scheduler, workers, console) as pool:
            wanted = DecoderSettings(others=as_names(others), classifier=classifier, pool=pool)
            trained, facts = _of_experiment(decoder, read, match, fractions, probe, wanted, console)
    known = [*assumptions(read, facts), *_training_subject(paths, subject, facts)]
    found = _answered((trained, facts), _sample(read, facts), read, known)
    console.print(identification_summary(found))
    # Last: where it cannot be written, the answer is there all the same.
    if save is not None:
        save_decoder(trained, facts, save)
        say(console, f"Decoder written: {save}")
    return found


def _check_own(recording: Path, subject: str | None) -> None:
    """Compare a recording that lies in an experiment with its checksums.

    Raises
    ------
    MachineError
        If it is damaged.
    """
    place = recording.absolute()
    roots = [path for path in place.parents if path.suffix == ".zarr"]
    if not roots or not records_folder(roots[0]).is_dir():
        return
    store = Store.open(roots[0])
    node = place.relative_to(roots[0]).as_posix()
    if node in store.nodes():
        names = list(store.subjects[SUBJECT].to_numpy())
        chosen = [subject] if subject in names else names
        store.check_values(node, [names.index(name) for name in chosen])


def _training_subject(
    paths: Sequence[Path], subject: str | None, facts: DecoderMetadata
) -> Iterator[str]:
    """Yield a note if the recording is of a subject on which the decoder was trained."""
    for path in paths:
        inside = any(each.stem == facts.title for each in path.absolute().parents)
        if inside and subject in facts.subjects:
            yield (
                f"The decoder was trained on {subject} of {facts.title}: this prediction does not "
                "show how well it identifies other subjects."
            )


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


def _answered(
    decoder: Decoder, sample: Samples, recording: xr.Dataset, known: Sequence[str]
) -> xr.Dataset:
    trained, facts = decoder
    values = sample.values.copy()
    values[:, list(facts.absent)] = np.nan
    prediction = trained.predict(values)
    found = prediction.dataset.isel({SUBJECT: 0}).drop_vars("novelty")
    found = found.rename(novelty_p_value="familiar", distance_p_value="typical")
    found["in_set"] = prediction.sets(facts.nominal_coverage)[0]
    found["changed"] = _changed(sample, facts)
    for each in facts.levels:
        found = found.merge(_at_level(found, each))
    for name, variable in found.variables.items():
        variable.attrs = {**describe(str(name)), **variable.attrs}
    return found.assign_attrs(
        title=facts.title,
        question=facts.question,
        classifier=facts.classifier,
        observable=facts.observable,
        others=list(facts.others),
        coverage=facts.nominal_coverage,
        measured_coverage=facts.coverage,
        kinds=facts.kinds,
        fewest=facts.fewest,
        excluded=dict(facts.excluded),
        accuracy=facts.accuracy,
        interval=list(facts.interval),
        confidence=facts.confidence,
        n_subjects=facts.n_subjects,
        architectures=list(facts.architectures),
        tasks=list(facts.tasks),
        differences=list(differences(recording, values[0], facts)),
        notes=[*recording.attrs.get("notes", ()), *known],
    )


def _at_level(found: xr.Dataset, accuracy: LevelAccuracy) -> xr.Dataset:
    """Probability of each group of a level, and whether it is in the prediction set."""
    level = accuracy.level
    name = level.name.replace(" ", "_")
    groups = {
        f"{name}_probability": coarse_probability(found["probability"], level),
        f"{name}_in_set": coarse_sets(found["in_set"], level),
    }
    known = {"level": level.name, "question": level.question, "interval": list(accuracy.interval)}
    joined = xr.Dataset({n: each.rename({GROUP: name}) for n, each in groups.items()})
    joined[f"{name}_probability"].attrs = known
    return joined


def _changed(sample: Samples, facts: DecoderMetadata) -> float:
    """Share of recordings without change that change at least as much; NaN if not measured."""
    [change] = total_change(sample.values, sample.visits)
    if not facts.still or not np.isfinite(change):
        return float("nan")
    return float(share_at_least(np.array(facts.still), np.array([change]))[0])
