"""Controls: a decoder's answer is believed only if these were asked beside it.

Some must be at chance (visit 0, permuted labels, what is known without recording); some the
recording must beat (the learning rate, the learning curve); and some it must survive (subjects that
learned as well as one another, or by one schedule).
"""

from virtuallab.decoder.controls import shuffled_subjects
from virtuallab.decoder.controls.ask import CONTROLS, EVERY, OF_SUBJECTS, OF_THE_DATA, ask_all
from virtuallab.decoder.controls.chance import INFLATION, judged
from virtuallab.decoder.controls.check import Check
from virtuallab.decoder.controls.question import Question

__all__ = [
    "CONTROLS",
    "EVERY",
    "INFLATION",
    "OF_SUBJECTS",
    "OF_THE_DATA",
    "Check",
    "Question",
    "ask_all",
    "judged",
    "shuffled_subjects",
]
