from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from tests.protocol.texts import small
from tests.subject.tasks.examples import Example
from virtuallab.errors import UserError
from virtuallab.protocol import read_text
from virtuallab.registry import TASKS
from virtuallab.subject.audio.cochleagram import centre_frequencies

SECOND = 16_000


def tone(frequency: float, seconds: float = 1.0, rate: int = SECOND) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


def write(file: Path, sound: np.ndarray, rate: int = SECOND) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(file, rate, sound)


def images(folder: Path, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Cochleagrams of all sounds of a folder, in the order of their files, and their classes."""
    task = TASKS["wav_folder"](path=str(folder), **settings)
    source, other = task.sources(folder)
    assert source is other, "all parts are drawn from the same files"
    return source.read(np.arange(len(source.labels))), source.labels


def test_the_label_of_a_sound_is_its_folder(example: Example) -> None:
    task = example("wav_folder")
    stimuli, labels = task.images()
    assert task.classes == 3
    alphabetical = np.array([[2700], [300], [900]])
    rows = np.abs(centre_frequencies(32) - alphabetical).argmin(axis=1)
    np.testing.assert_array_equal(labels, stimuli[:, 0, rows].mean(axis=2).argmax(axis=1))


def test_formats_of_one_sound_have_one_cochleagram(tmp_path: Path) -> None:
    sound = tone(1000.0)
    forms = {
        "float": sound.astype(np.float32),
        "16": np.round(2**15 * sound).astype(np.int16),
        "32": np.round(2**31 * sound).astype(np.int32),
        "8": np.round(128 * (sound + 1)).astype(np.uint8),
        "stereo": np.stack([sound, sound], axis=1),
        "one channel silent": np.stack([2 * sound, 0 * sound], axis=1),
    }
    for name, form in forms.items():
        write(tmp_path / name / "a.WAV", form)
    write(tmp_path / "44100 Hz" / "a.wav", tone(1000.0, rate=44_100), 44_100)
    stimuli, _ = images(tmp_path, duration=0.5)
    row = np.abs(centre_frequencies(32) - 1000).argmin()
    for found in stimuli[:, 0, row]:
        np.testing.assert_allclose(found[2:-2], stimuli[0, 0, row, 2:-2], atol=0.01)


def test_short_sounds_are_padded_and_long_ones_cut(tmp_path: Path) -> None:
    write(tmp_path / "a" / "short.wav", tone(1000.0, 0.25))
    write(tmp_path / "b" / "long.wav", np.concatenate([tone(1000.0), tone(4000.0)]))
    (short, long), _ = images(tmp_path, duration=0.5, frames=10)
    row, high = (int(np.abs(centre_frequencies(32) - f).argmin()) for f in (1000, 4000))
    assert short[0, row, 1:4].min() > 0.5
    assert short[0, row, 6:9].max() < 0.25
    assert long[0, row, 1:9].min() > 0.5
    assert long[0, high, 1:9].max() < 0.1


def test_a_level_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "a" / "loud.wav", tone(1000.0))
    write(tmp_path / "b" / "quiet.wav", 0.1 * tone(1000.0))
    (loud, quiet), _ = images(tmp_path)
    np.testing.assert_allclose(quiet, 0.1**0.3 * loud, rtol=1e-3, atol=1e-3)


def test_other_sounds_in_the_same_files_are_other_images(tmp_path: Path) -> None:
    for name, frequency in (("a", 300.0), ("b", 600.0)):
        write(tmp_path / name / "x.wav", tone(frequency))
    before, _ = images(tmp_path)
    write(tmp_path / "a" / "x.wav", tone(2000.0))
    after, _ = images(tmp_path)
    assert not np.allclose(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_sounds_that_changed_since_the_task_was_made_are_refused(tmp_path: Path) -> None:
    for name, frequency in (("a", 300.0), ("b", 600.0)):
        write(tmp_path / name / "x.wav", tone(frequency))
    task = TASKS["wav_folder"](path=str(tmp_path))
    write(tmp_path / "a" / "x.wav", tone(2000.0))
    with pytest.raises(UserError, match="was changed"):
        task.images()


def test_chunks_of_metadata_are_skipped(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name / "x.wav", tone(300.0))
    file = tmp_path / "a" / "x.wav"
    content = file.read_bytes()
    file.write_bytes(content + b"note" + (4).to_bytes(4, "little") + b"text")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stimuli, _ = images(tmp_path)
    np.testing.assert_array_equal(stimuli[0], stimuli[1])


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all", b"RIFF\x24\0\0\0WAVEfmt "])
def test_a_file_that_is_no_sound_is_named(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "a" / "x.wav", tone(300.0))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "broken.wav").write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.wav cannot be read as a wav file"):
        images(tmp_path)


def test_samples_that_are_not_finite_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.wav", tone(300.0))
    write(tmp_path / "b" / "nan.wav", np.full(100, np.nan, np.float32))
    with pytest.raises(UserError, match=r"nan\.wav has samples that are not finite"):
        images(tmp_path)


def test_a_file_without_samples_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.wav", tone(300.0))
    write(tmp_path / "b" / "empty.wav", np.zeros(0, np.int16))
    with pytest.raises(UserError, match=r"empty\.wav has no sound"):
        images(tmp_path)


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.wav", tone(300.0))
    (tmp_path / "b").mkdir()
    with pytest.raises(UserError, match=r"has 1 subfolders with \.wav files; at least two classes"):
        TASKS["wav_folder"](path=str(tmp_path)).images()
    with pytest.raises(UserError, match=re.escape(f"there is no {tmp_path / 'nowhere'}")):
        TASKS["wav_folder"](path=str(tmp_path / "nowhere")).images()


def test_a_protocol_names_the_folder(example: Example) -> None:
    path = example("wav_folder").path  # type: ignore[attr-defined]
    text = small(("[digits]", f"[{{name: wav_folder, path: '{path}', duration: 0.2}}]"))
    (found,) = read_text(text, name="p.yaml").subjects.tasks
    assert found.settings["path"] == path
    assert found.settings["sha256"] == TASKS["wav_folder"].digest(Path(path))
