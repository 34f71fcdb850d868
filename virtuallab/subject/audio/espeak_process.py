"""Program that speaks with espeak-ng: utterances come as JSON, and samples go to the output.

It is a process of its own, because espeak-ng keeps a state between utterances, is not safe among
threads, and may end the process. It uses the standard library alone, which makes it start fast, and
espeak-ng, whose licence is the GPL, is never loaded beside virtuallab.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000  # of espeak_Initialize
_RATE, _PITCH = 1, 3  # of espeak_SetParameter
_CHARACTERS, _UTF8 = 1, 1  # of espeak_Synth
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def speak(library: Any, data: str, utterances: list[list[Any]]) -> tuple[int, list[bytes]]:
    """Return the sample rate and the 16-bit samples of each utterance.

    Parameters
    ----------
    library : ctypes.CDLL
        Of espeak-ng 1.52 or later.
    data : str
        Its folder of voices and dictionaries.
    utterances : list of [text, voice, rate, pitch]
        The rate in words per minute, the pitch on espeak-ng's scale of 0 to 99.

    Raises
    ------
    RuntimeError
        With what espeak-ng cannot do.
    """
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
    used = ctypes.c_char_p()
    library.espeak_Info(ctypes.byref(used))
    if rate <= 0 or used.value != data.encode():  # it falls back on the data of the system
        raise RuntimeError(f"espeak-ng cannot read its voices in {data} (is the path too long?)")
    received = bytearray()

    def receive(samples: Any, count: int, _: Any) -> int:
        if samples and count > 0:
            received.extend(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _CALLBACK(receive)
    library.espeak_SetSynthCallback(callback)
    spoken = []
    for text, voice, words_per_minute, pitch in utterances:
        # It seeds its random numbers, for breath and whisper, by the time of day.
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        if library.espeak_SetVoiceByName(voice.encode()):
            raise RuntimeError(f"espeak-ng has no voice {voice!r}")
        library.espeak_SetParameter(_RATE, words_per_minute, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        received.clear()
        words = text.encode() + b"\0"
        if library.espeak_Synth(words, len(words), 0, _CHARACTERS, 0, _UTF8, None, None):
            raise RuntimeError(f"espeak-ng cannot speak {text!r}")
        library.espeak_Synchronize()
        spoken.append(bytes(received))
    return rate, spoken


def main() -> None:
    """Speak what the standard input asks for."""
    request = json.load(sys.stdin)
    try:
        library = ctypes.CDLL(request["library"])
        rate, spoken = speak(library, request["data"], request["utterances"])
    except (OSError, AttributeError, RuntimeError) as error:
        sys.exit(str(error))
    head = json.dumps({"rate": rate, "lengths": [len(each) for each in spoken]})
    sys.stdout.buffer.write(head.encode() + b"\n" + b"".join(spoken))


if __name__ == "__main__":
    main()
