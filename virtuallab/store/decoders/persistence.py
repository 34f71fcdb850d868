"""Saving and loading of trained decoders: numbers as JSON, estimators in a format without code.

Loading a pickle can run any code. Estimators are therefore saved by skops, which makes objects only
of the types listed below and of those of scikit-learn; a file with any other type is refused before
an object is made.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import skops.io
from pydantic import TypeAdapter, ValidationError

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.errors import MachineError, StoreError, UserError, VirtuallabError
from virtuallab.probes.statistics.features import change_names
from virtuallab.registry import CLASSIFIERS
from virtuallab.store.decoders.metadata import DecoderMetadata
from virtuallab.store.decoders.numbers import decoder_of, estimators_of, numbers_of
from virtuallab.store.decoders.validation import check_parts
from virtuallab.store.files.atomic_replace import replace_folder
from virtuallab.store.files.atomic_write import flush_to_disk, write_json, writing
from virtuallab.store.files.digest import read_json
from virtuallab.store.layout.location import is_system_file

FORMAT: Final = 3  # 1 had two steps, finite and fill, in the place of one; 2 had no centres
_FORMAT_KEY = "virtuallab_decoder"
_NUMBERS = "model.json"
_ESTIMATORS = "model.skops"
_PACKAGES = ("virtuallab", "scikit-learn", "numpy", "skops")

# Types of the parts of a decoder, besides those that skops trusts by itself.
TYPES: Final = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "virtuallab.decoder.features.preprocessing.Bounded",
    "virtuallab.decoder.features.preprocessing.MedianImputer",
    "virtuallab.decoder.estimators.conv1d_network.Conv1dNetwork",
    "virtuallab.decoder.estimators.kernel_machine.KernelMachine",
    "virtuallab.decoder.estimators.linear_machine.LinearMachine",
)


def is_decoder(path: Path) -> bool:
    """Return whether a path is that of a saved decoder, by its name or its content."""
    return path.suffix == ".decoder" or (path / _NUMBERS).is_file()


def save_decoder(trained: FittedDecoder, metadata: DecoderMetadata, folder: Path) -> None:
    """Save a decoder, in the place of an older one.

    Parameters
    ----------
    trained : FittedDecoder
    metadata : DecoderMetadata
    folder : Path
        ``NAME.decoder``.

    Raises
    ------
    StoreError, MachineError
        If something else is there, the path may not be written, or the decoder has a part of a
        type that would not be loaded again; if the disk fails.
    """
    check_decoder_location(folder)
    content = dump_estimators(trained, CLASSIFIERS[metadata.classifier]())
    numbers = {
        _FORMAT_KEY: FORMAT,
        **numbers_of(trained),
        "facts": asdict(metadata),
        "versions": {name: version(name) for name in _PACKAGES},
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    with writing(folder, resumable=False):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with replace_folder(folder) as draft:
            draft.mkdir()
            (draft / _ESTIMATORS).write_bytes(content)
            flush_to_disk(draft / _ESTIMATORS)
            write_json(draft / _NUMBERS, numbers)


def dump_estimators(trained: FittedDecoder, classifier: Classifier) -> bytes:
    """Return the estimators of a decoder as the content of a skops file.

    Parameters
    ----------
    trained : FittedDecoder
    classifier : Classifier
        The classifier of the decoder, with the ``saved_types`` that may be written.

    Raises
    ------
    StoreError
        If a part has a type that would not be loaded again.
    """
    parts = estimators_of(trained)
    content = bytes(skops.io.dumps(parts, compression=zipfile.ZIP_DEFLATED))
    refused = f"a decoder by {classifier.name!r} cannot be saved: "
    if foreign := _foreign_types(content, classifier):
        raise StoreError(
            f"{refused}it holds {', '.join(foreign)}, which would not be loaded again. Choose a "
            "classifier of virtuallab's own, or name these types in the saved_types of yours."
        )
    try:
        check_parts(classifier=classifier, **parts)
    except ValueError as error:
        raise StoreError(f"{refused}{error}.") from None
    return content


def load_estimators(content: bytes, classifier: Classifier) -> dict[str, Any]:
    """Return the estimators of a skops file by name, after checking their types and structure.

    Parameters
    ----------
    content : bytes
        Of :func:`dump_estimators`.
    classifier : Classifier

    Raises
    ------
    ValueError
        If their structure is not that of a decoder. Errors of skops on damaged content pass.
    """
    parts: dict[str, Any] = skops.io.loads(content, trusted=[*TYPES, *classifier.saved_types])
    check_parts(classifier=classifier, **parts)
    return parts


def check_decoder_location(folder: Path) -> None:
    """Raise a StoreError if a decoder cannot be written here; an older one may be replaced."""
    if folder.suffix != ".decoder":
        raise StoreError(f"{folder}: a decoder's name ends in .decoder; call it {folder}.decoder.")
    if folder.is_symlink():
        raise StoreError(
            f"{folder} is a link, through which nothing is written. Choose another name."
        )
    if folder.exists() and not _is_ours(folder):
        raise StoreError(f"{folder} is there already and is no decoder. Choose another name.")


def _is_ours(folder: Path) -> bool:
    """Return whether a folder is a decoder, damaged or not, and holds nothing else."""
    if not folder.is_dir():
        return False
    names = {each.name for each in folder.iterdir() if not is_system_file(each.name)}
    if not {_NUMBERS} <= names <= {_NUMBERS, _ESTIMATORS}:
        return False
    try:
        return _FORMAT_KEY in json.loads((folder / _NUMBERS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return True  # damaged: then the names decide


def load_decoder(folder: Path) -> tuple[FittedDecoder, DecoderMetadata]:
    """Return a saved decoder, after checking its content, types and versions.

    Raises
    ------
    StoreError, MachineError
        If it is no decoder, is damaged, holds foreign types, or was made with other versions of
        what it needs; if a file cannot be read.
    """
    numbers = _read_numbers(folder)
    try:
        metadata = _metadata(numbers["facts"])
        _check_versions(metadata, dict(numbers["versions"]), folder)
        classifier = _classifier_of(metadata, folder)
        content = _read_estimators(folder, str(numbers["sha256"]), classifier)
        return decoder_of(numbers, load_estimators(content, classifier)), metadata
    except VirtuallabError:
        raise
    # The error of a missing or wrong part depends on the part.
    except Exception as error:
        raise StoreError(
            f"{folder} is damaged ({type(error).__name__}: {error}). Train it anew, or copy it "
            "again."
        ) from None


def _read_numbers(folder: Path) -> Mapping[str, Any]:
    file = folder / _NUMBERS
    if not folder.exists():
        near = sorted(folder.parent.glob("*.decoder")) if folder.parent.is_dir() else []
        known = f" In {folder.parent}: {', '.join(p.name for p in near)}." if near else ""
        raise StoreError(f"{folder}: there is no decoder.{known}")
    try:
        numbers = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(
            f"{folder} is not a decoder: there is no {_NUMBERS} in it. A decoder is a folder, "
            "NAME.decoder."
        ) from None
    except ValueError:
        raise StoreError(
            f"{file} is damaged: it is not JSON of a decoder. Train it anew, or copy it again."
        ) from None
    except OSError as error:
        raise MachineError(f"{file} could not be read: {error}.") from error
    found = numbers.get(_FORMAT_KEY)
    if not isinstance(found, int):
        raise StoreError(f"{folder} is not a decoder of virtuallab.")
    if found != FORMAT:
        age, update = (
            ("a newer", "Update virtuallab, or train") if found > FORMAT else ("an older", "Train")
        )
        raise StoreError(
            f"{folder} was made by {age} virtuallab (format {found}, this one reads {FORMAT}). "
            f"{update} the decoder anew from its experiment."
        )
    return numbers


def _classifier_of(metadata: DecoderMetadata, folder: Path) -> Classifier:
    """Return the classifier that a decoder names, whose types it may hold."""
    try:
        found: Classifier = CLASSIFIERS[metadata.classifier]()
    except UserError as error:
        raise StoreError(
            f"{folder}: {error} Name the plug-in by which it was made with --plugin, or install "
            "its package."
        ) from None
    return found


def _read_estimators(folder: Path, expected: str, classifier: Classifier) -> bytes:
    file = folder / _ESTIMATORS
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise StoreError(f"{folder} is damaged: {_ESTIMATORS} is missing. Copy it again.") from None
    except OSError as error:
        raise MachineError(f"{file} could not be read: {error}.") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise StoreError(
            f"{file} is damaged: it is not what was written (its checksum differs). Train the "
            "decoder anew, or copy it again."
        )
    try:
        foreign = _foreign_types(content, classifier)
    # Listing the types of a crafted file can raise any error.
    except Exception as error:
        raise StoreError(
            f"{file} is damaged, or no decoder ({type(error).__name__}: {error})."
        ) from None
    if foreign:
        raise StoreError(
            f"{file} holds what no decoder of virtuallab does: {', '.join(foreign)}. Nothing of it "
            "was loaded; do not trust where it came from."
        )
    return content


def _check_versions(metadata: DecoderMetadata, versions: Mapping[str, str], folder: Path) -> None:
    name = "scikit-learn"
    made, here = versions[name], version(name)
    if made.split(".")[:2] != here.split(".")[:2]:
        raise StoreError(
            f"{folder} was made with {name} {made}, and {here} is installed, which may read it "
            f"otherwise. Train the decoder anew from its experiment, or install {name} {made}."
        )
    now = change_names()
    if metadata.change_names != now:
        gone = sorted(set(metadata.change_names) ^ set(now))
        what = f"{len(gone)} differ: {', '.join(gone[:3])}" if gone else "their order differs"
        raise StoreError(
            f"{folder} reads the features of virtuallab {versions['virtuallab']}, which are not "
            f"those of {version('virtuallab')} ({what}). Train the decoder anew from its "
            "experiment."
        )


def _foreign_types(content: bytes, classifier: Classifier) -> list[str]:
    """Return the types in a file that no decoder by this classifier has; no object is made."""
    trusted = {*TYPES, *classifier.saved_types}
    return sorted(set(skops.io.get_untrusted_types(data=content)) - trusted)


def _metadata(written: Any) -> DecoderMetadata:
    # Lists of JSON become tuples, and nothing else is converted.
    try:
        found: DecoderMetadata = TypeAdapter(DecoderMetadata).validate_json(
            json.dumps(written), strict=True
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, ("facts", *first["loc"])))
        raise ValueError(f"{place}: {first['msg']}") from None
    return found
