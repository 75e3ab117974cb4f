"""Random spellings of equal filters: letter case, blanks and comments."""

import random

COMMENTS = ("/* c */", '-- it\'s a "comment"\n', "# contexts_z.id\n", "/* uri = 'x' */")


def keyword(chance: random.Random, word: str) -> str:
    """Return a keyword, now and then in other letters."""
    if chance.random() < 0.85:
        return word
    return chance.choice((word.lower(), word.capitalize()))


def column(chance: random.Random, name: str) -> str:
    """Return the name of a column, now and then in capitals or in backquotes."""
    spelling = chance.random()
    if spelling < 0.05:
        return name.upper()
    return f"`{name}`" if spelling < 0.1 else name


def blank(chance: random.Random) -> str:
    """Return a separator of two words."""
    if chance.random() < 0.96:
        return " "
    return f" {chance.choice((*COMMENTS, chr(9), chr(10), '  '))} "


def spaced(chance: random.Random, *words: str) -> str:
    """Return words with something between each two."""
    text = words[0]
    for word in words[1:]:
        text += blank(chance) + word
    return text
