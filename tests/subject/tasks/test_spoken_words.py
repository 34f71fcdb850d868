from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise, product
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.protocol.texts import complaints, small
from virtuallab.protocol import read_text
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.audio.audio_task import _code
from virtuallab.subject.audio.cochleagram import SAMPLE_RATE
from virtuallab.subject.audio.noise import NOISES
from virtuallab.subject.audio.speech import Utterance, speak
from virtuallab.subject.tasks.spoken_words import SPEAKERS, WORDS
from virtuallab.testing import check_task

needs_espeak = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed (extra audio)"
)
FEW = {"words": 3, "speakers": 2, "repetitions": 12}
PARTS = {"train_images": 40, "validation_images": 20, "probe_images": 12}


def task(**settings: Any) -> Any:
    """Three words of two speakers, 72 utterances."""
    return TASKS["spoken_words"](**{**FEW, **PARTS, **settings})


def numbers(of: Any) -> np.ndarray:
    """Repetition, word and speaker of each utterance."""
    return np.array(list(product(range(of.repetitions), range(of.words), range(of.speakers))))


def test_words_and_speakers_are_listed_once() -> None:
    assert len(set(WORDS)) == len(WORDS) == 40
    assert len(set(SPEAKERS)) == len(SPEAKERS) == 16


@needs_espeak
@pytest.mark.parametrize("label", ["word", "speaker", "noise"])
@pytest.mark.usefixtures("own_random_streams")
def test_each_label_makes_a_task_that_keeps_its_promises(label: str) -> None:
    check_task(task(label=label))


@pytest.mark.parametrize(("label", "classes"), [("word", 3), ("speaker", 2), ("noise", 4)])
def test_the_label_says_what_is_classified(label: str, classes: int) -> None:
    made = task(label=label)
    repetition, word, speaker = numbers(made).T
    expected = {"word": word, "speaker": speaker, "noise": (repetition + word + speaker) % 4}
    np.testing.assert_array_equal(made.labels(), expected[label])
    assert made.classes == classes
    assert made.stimulus_shape == (1, 32, 32)


def test_every_word_of_every_speaker_meets_every_noise_equally_often() -> None:
    kinds = task(label="noise").labels()
    _, word, speaker = numbers(task()).T
    for each in product(range(3), range(2)):
        counts = np.bincount(kinds[(word == each[0]) & (speaker == each[1])])
        assert counts.tolist() == [3, 3, 3, 3]


@needs_espeak
def test_the_images_do_not_depend_on_what_is_classified() -> None:
    (one, _), (other, _) = (task(label=label).images() for label in ("word", "noise"))
    assert one is other, "they are computed once"


@needs_espeak
def test_the_sounds_are_the_same_at_every_call_and_all_different() -> None:
    first = task().sounds()
    np.testing.assert_array_equal(first, task().sounds())
    assert len({sound.tobytes() for sound in first}) == len(first) == 72
    np.testing.assert_allclose(np.sqrt((first**2).mean(axis=1)), 1, rtol=1e-5)


@needs_espeak
def test_more_repetitions_are_more_utterances_after_the_others() -> None:
    few, more = task(repetitions=4), task(repetitions=6)
    babble = NOISES.index("babble")  # made from all the sounds of the process
    same = task(repetitions=4, label="noise").labels() != babble
    np.testing.assert_array_equal(few.sounds()[same], more.sounds()[: len(same)][same])


@needs_espeak
def test_without_noise_an_utterance_is_the_word_that_its_speaker_says() -> None:
    made = task(lowest_snr=100.0, highest_snr=100.0, repetitions=2)
    said = list(product(range(3), range(2), (160, 180, 200)))
    spoken = speak([Utterance(WORDS[word], SPEAKERS[who], rate, 50) for word, who, rate in said])
    templates = np.stack([smooth_spectrum(each) for each in spoken])
    for sound, (_, word, speaker) in zip(made.sounds(), numbers(made), strict=True):
        match = [np.corrcoef(smooth_spectrum(sound), each)[0, 1] for each in templates]
        assert said[int(np.argmax(match))][:2] == (word, speaker)


def smooth_spectrum(sound: np.ndarray) -> np.ndarray:
    """Log power in bands, which the onset does not change and the pitch changes little."""
    power = np.abs(np.fft.rfft(sound, SAMPLE_RATE)) ** 2
    bounds = np.geomspace(80, 8000, 40).astype(int)
    return np.log([power[low:high].mean() for low, high in pairwise(bounds)])


@needs_espeak
def test_the_ratio_of_speech_and_noise_is_the_one_asked_for() -> None:
    """Hum has no power above 500 Hz: the power there is that of speech."""
    hum = task(label="noise").labels() == NOISES.index("hum")
    quiet, loud = (
        power_above_600_hz(task(lowest_snr=snr, highest_snr=snr).sounds()[hum])
        for snr in (-20.0, -14.0)
    )
    np.testing.assert_allclose(10 * np.log10(loud / quiet), 6, atol=0.2)


def power_above_600_hz(sounds: np.ndarray) -> np.ndarray:
    spectrum = np.fft.rfft(sounds * np.hanning(sounds.shape[1]))
    high = np.fft.rfftfreq(sounds.shape[1], 1 / SAMPLE_RATE) > 600
    return (np.abs(spectrum[:, high]) ** 2).sum(axis=1)


@needs_espeak
def test_the_next_process_reads_the_same_images_from_the_cache() -> None:
    script = (
        "import sys, hashlib\n"
        "from virtuallab.registry import TASKS\n"
        "task = TASKS['spoken_words'](words=3, speakers=2, repetitions=12)\n"
        "found = hashlib.sha256(task.images()[0].tobytes()).hexdigest()\n"
        "print(found, 'scipy' in sys.modules)"
    )
    here = task().images()[0]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.stdout.split() == [hashlib.sha256(here.tobytes()).hexdigest(), "False"], done.stderr


def test_other_code_makes_the_images_anew() -> None:
    assert _code(TASKS["spoken_words"]) != _code(TASKS["wav_folder"])


@needs_espeak
@pytest.mark.slow
def test_a_perceptron_learns_words_from_new_utterances_but_not_from_shuffled_labels() -> None:
    made = TASKS["spoken_words"](
        words=5, speakers=4, repetitions=25, train_images=300, validation_images=100
    )
    assert learned(made, shuffled=False) > 0.6
    assert learned(made, shuffled=True) < 0.35


def learned(made: Any, *, shuffled: bool) -> float:
    train, validation = made.train(), made.validation()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = ARCHITECTURES["mlp"]().build(made.stimulus_shape, made.classes)
        labels = train.labels[torch.randperm(len(train.labels))] if shuffled else train.labels
        optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
        for _ in range(15):
            for batch in torch.randperm(len(labels)).split(50):
                optimizer.zero_grad()
                nn.functional.cross_entropy(network(train.stimuli[batch]), labels[batch]).backward()
                optimizer.step()
    with torch.no_grad():
        found = network(validation.stimuli).argmax(dim=1) == validation.labels
    return float(found.double().mean())


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("lowest_snr: 5.0, highest_snr: 2.0", "lowest_snr: 5 dB is above highest_snr, 2 dB"),
        ("words: 41", "words: should be at most 40, found 41"),
        ("label: words", "label: .*'word'"),
        ("duration: 640 ms", "Write 0.64"),
        ("lowest_snr: 5 dB", "Write 5"),
    ],
)
def test_settings_that_are_not_possible_are_refused(written: str, fault: str) -> None:
    found = "\n".join(complaints(small(("[digits]", f"[{{name: spoken_words, {written}}}]"))))
    assert re.search(fault, found), found


PAGE = (Path(__file__).parents[3] / "docs" / "questions" / "use_sounds.md").read_text("utf-8")


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(tasks:.*?)```", PAGE, flags=re.DOTALL))
def test_the_page_on_sounds_shows_tasks_that_can_be_read(block: str) -> None:
    assert complaints(small(("  tasks: [digits]\n", indent(block, "  ")))) == []


def test_the_page_on_sounds_shows_a_protocol_that_can_be_read() -> None:
    (text,) = re.findall(r"```yaml\n(schema_version.*?)```", PAGE, flags=re.DOTALL)
    assert len(read_text(text, name="words.yaml").subjects.tasks) == 3


@needs_espeak
def test_the_page_on_sounds_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(code, "use_sounds.md", "exec"), {})
    promised = re.findall(r"  # (.*?): ", code)
    assert capsys.readouterr().out.splitlines() == promised
