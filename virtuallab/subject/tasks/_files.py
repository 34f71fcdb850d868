"""Base of tasks whose images are in files, which are checked and drawn from."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from virtuallab.errors import UserError
from virtuallab.fields import setting
from virtuallab.paths import expanded
from virtuallab.subject.task import draw
from virtuallab.subject.tasks._divided import DividedTask


@dataclass(frozen=True, eq=False)
class Source:
    """Images of which only those that are drawn are read.

    Parameters
    ----------
    labels : array of int, (image,)
        Classes of all images.
    read : callable
        Returns the images of some indices, (image, channel, height, width), uint8 or float32.
    name : str
        What the images are, in messages: ``"training split"``.
    """

    labels: np.ndarray
    read: Callable[[np.ndarray], np.ndarray]
    name: str


@dataclass(frozen=True, kw_only=True)
class FileTask(DividedTask):
    """A task whose images are in files.

    The digest of the files is part of the identity of a subject; their place is not.

    Attributes
    ----------
    contents : str
        What ``path`` must contain, in one or two sentences of an error message.
    """

    contents: ClassVar[str]

    path: str = setting(
        doc="File or folder of the images; in a protocol relative to the protocol's folder.",
        place=True,
    )
    sha256: str = setting(
        "",
        doc="Digest of the files. It is noted when the task is made; files with another digest are "
        "refused.",
    )

    def __post_init__(self) -> None:
        """Note the digest of the files, if they are there."""
        if not self.sha256:
            object.__setattr__(self, "sha256", self.digest(expanded(self.path)))

    @classmethod
    @abstractmethod
    def files(cls, path: Path) -> Sequence[Path]:
        """Return the files that are read, whether they exist or not.

        Parameters
        ----------
        path : Path
            The setting ``path``.
        """

    @classmethod
    def digest(cls, path: Path) -> str:
        """Return the SHA-256 digest of the files' names and contents; empty if one is missing."""
        total = hashlib.sha256()
        try:
            for file in sorted(cls.files(path)):
                with file.open("rb") as stream:
                    content = hashlib.file_digest(stream, "sha256").hexdigest()
                # The name of a single file is no part of it: it may be renamed.
                name = "" if file == path else file.relative_to(path).as_posix()
                total.update(f"{name}\0{content}\0".encode())
        except OSError:
            return ""
        return total.hexdigest()

    @abstractmethod
    def sources(self, path: Path) -> tuple[Source, Source]:
        """Return the images from which training images are drawn, and those for the other parts.

        Parameters
        ----------
        path : Path
            Its files exist and have the noted digest.

        Returns
        -------
        training, held_out : Source
            The same object, if the images are not divided already.
        """

    def located(self) -> Path:
        """Return ``path``, after a check of the files.

        Raises
        ------
        UserError
            If a file is missing or was changed.
        """
        path = expanded(self.path)
        for file in self.files(path) or [path]:
            if not file.exists():
                raise self.refusal(f"there is no {file}. {self.contents}")
        found = self.digest(path)
        if not found:
            raise self.refusal(f"{path} cannot be read. {self.contents}")
        if self.sha256 and found != self.sha256:
            raise self.refusal(
                f"{path} was changed: its digest is {found[:12]}..., not {self.sha256[:12]}... "
                "(sha256). Restore it, or give the changed images a store of their own."
            )
        return path

    def refusal(self, words: str) -> UserError:
        """Return an error about the files of the task."""
        return UserError(f"task {self.name!r}: {words}")

    def divided(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the images of each part that are drawn, and their classes."""
        training, held_out = self.sources(self.located())
        one = training is held_out
        needed = {"train_images": training, "validation_images": held_out, "probe_images": held_out}
        for source in dict.fromkeys(needed.values()):
            keys = [key for key, each in needed.items() if each is source]
            sizes = [getattr(self, key) for key in keys]
            if sum(sizes) > len(source.labels):
                raise self.refusal(
                    f"{source.name} has {len(source.labels)} images; "
                    f"{' + '.join(map(str, sizes))} were asked for ({', '.join(keys)})."
                )
        rest = np.arange(len(training.labels))
        for key, source in needed.items():
            if key == "validation_images" and not one:
                rest = np.arange(len(held_out.labels))
            chosen, rest = draw(rest, source.labels, getattr(self, key))
            self._check_classes(source, chosen, key)
            yield source.read(chosen), source.labels[chosen]

    def _check_classes(self, source: Source, chosen: np.ndarray, key: str) -> None:
        """Refuse a part without an image of some class, which happens to rare classes."""
        for label in np.setdiff1d(source.labels, source.labels[chosen])[:1]:
            raise self.refusal(
                f"class {label} has {(source.labels == label).sum()} of the {len(source.labels)} "
                f"images of {source.name}, and none is among the {len(chosen)} {key}. Use a larger "
                f"{key}, or leave the class out."
            )
