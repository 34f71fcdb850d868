"""Draw the cochleagrams of the page on sounds: ``python docs/cochleagrams.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from virtuallab.registry import TASKS
from virtuallab.subject.audio.cochleagram import centre_frequencies
from virtuallab.subject.audio.noise import NOISES
from virtuallab.subject.tasks.spoken_words import WORDS

WORD_COUNT, FREQUENCIES = 10, (100, 300, 1000, 3000)
ROWS = {"no noise": 60.0, "0 dB": 0.0}  # title -> speech-to-noise ratio in dB

figure, axes = plt.subplots(len(ROWS), WORD_COUNT, figsize=(11, 2.9), sharex=True, sharey=True)
for row, (title, snr) in zip(axes, ROWS.items(), strict=True):
    task = TASKS["spoken_words"](
        words=WORD_COUNT, speakers=2, repetitions=2, lowest_snr=snr, highest_snr=snr
    )
    stimuli = task.images()[0].reshape(2, WORD_COUNT, 2, task.filters, task.frames)
    for word, (axis, image) in enumerate(zip(row, stimuli[0, :, 0], strict=True)):
        extent = (0, 1000 * task.duration, -0.5, task.filters - 0.5)
        axis.imshow(image, origin="lower", aspect="auto", cmap="magma", extent=extent)
        axis.set_title(WORDS[word] if snr else NOISES[word % len(NOISES)], fontsize=9)
    rows = np.interp(FREQUENCIES, centre_frequencies(task.filters), np.arange(task.filters))
    row[0].set_yticks(rows, [f"{each:,}" for each in FREQUENCIES], fontsize=7)
    row[0].set_ylabel(f"{title}\nfrequency (Hz)", fontsize=8)
for axis in axes[-1]:
    axis.set_xticks([0, 300, 600], ["0", "300", "600"], fontsize=7)
    axis.set_xlabel("ms", fontsize=8)
figure.tight_layout(pad=0.4)
target = Path(__file__).parent / "images" / "cochleagrams.png"
figure.savefig(target, dpi=80)
print(f"{target} written")
