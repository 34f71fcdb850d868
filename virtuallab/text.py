"""Text that comes from outside, made safe to print."""

from __future__ import annotations

import re
import unicodedata

_KEPT = "\n\t"


def printable(text: str) -> str:
    r"""Text without characters that would control the terminal or the page.

    Control characters, terminal escapes and characters that reverse or hide the text around them
    are replaced by what Python writes for them; line breaks and tabs stay.

    Parameters
    ----------
    text : str
        Text of a protocol, a recording, a store or the command line.

    Returns
    -------
    str

    Examples
    --------
    >>> printable("a\x1b[31m question")
    'a\\x1b[31m question'
    """
    # Cc: control, Cf: format (reversal of direction, zero width), Cs: halves of a surrogate pair.
    hidden = {"Cc", "Cf", "Cs"}
    lines = text.replace("\r\n", "\n")  # the line ends of Windows are line ends
    return "".join(
        c if c in _KEPT or unicodedata.category(c) not in hidden else _escaped(c) for c in lines
    )


def brief(text: str, longest: int = 500) -> str:
    """Text for a message: made :func:`printable`, its overlong words cut.

    Parameters
    ----------
    text : str
    longest : int
        Characters that a word may have; of a longer one the first 60 are kept.

    Returns
    -------
    str

    Examples
    --------
    >>> brief("no device is called " + "[" * 200_000)[-20:]
    '[[[... (200000 long)'
    """
    cut = re.sub(rf"\S{{{longest},}}", lambda m: f"{m[0][:60]}... ({len(m[0])} long)", text)
    return printable(cut)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
