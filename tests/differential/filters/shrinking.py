"""Makes a filter that shows a mismatch as short as it gets."""

import re
from collections.abc import Callable

WORDS = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|[\w.]+|\s+|.", re.DOTALL)


def shortest(text: str, shows: Callable[[str], bool]) -> str:
    """Return the least of a text that still shows its fault: no run of words can go."""
    words = WORDS.findall(text)
    width = len(words)
    while width:
        place = 0
        while place < len(words):
            rest = words[:place] + words[place + width :]
            if shows("".join(rest)):
                words = rest
            else:
                place += 1
        width //= 2
    return "".join(words)
