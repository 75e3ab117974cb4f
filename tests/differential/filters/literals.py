"""Random literals of filters, in all their spellings."""

import random

from tests.differential.filters.population import DOUBLES, HIDDEN, INTEGERS, TEXTS

_NAMED_ESCAPES = {"\n": "\\n", "\t": "\\t", "\\": "\\\\"}


def text_literal(chance: random.Random, value: str) -> str:
    """Return a string literal with a value."""
    quote = chance.choice("'\"")
    spelling = chance.random()
    if spelling < 0.1 and not set(value) & set("\\\n'\"\t"):
        return f"{chance.choice('rR')}{quote}{value}{quote}"
    if spelling < 0.2 and value and not value.endswith(quote) and "\\" not in value:
        return f"{quote * 3}{value}{quote * 3}"
    if spelling < 0.3:
        return f"{quote}{''.join(_numbered(chance, char) for char in value)}{quote}"
    return f"{quote}{''.join(_escaped(char, quote) for char in value)}{quote}"


def _escaped(char: str, quote: str) -> str:
    if char == quote:
        return f"\\{char}"
    return _NAMED_ESCAPES.get(char, char)


def _numbered(chance: random.Random, char: str) -> str:
    code = ord(char)
    forms = [f"\\U{code:08x}"]
    if code < 0x10000:
        forms.append(f"\\u{code:04X}")
    if code < 0x80:
        forms += [f"\\x{code:02x}", f"\\X{code:02X}", f"\\{code:03o}"]
    return chance.choice(forms)


def a_text(chance: random.Random) -> str:
    """Return the literal of a string, most often one that a node has."""
    if chance.random() < 0.1:
        return text_literal(chance, chance.choice(("x", "Alpha", "%", "state", "e'e", "ÄÖ", "0")))
    # What MLMD can't look for would drown the rest.
    text = chance.choice(HIDDEN if chance.random() < 0.02 else TEXTS[:22])
    return text_literal(chance, text if chance.random() < 0.98 else TEXTS[-1])


def a_pattern(chance: random.Random) -> str:
    """Return the literal of a pattern of LIKE."""
    text = chance.choice(TEXTS[:22])
    start, end = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
    shape = chance.choice(("%{}%", "{}%", "%{}", "_{}%", "{}", "%{}_"))
    return text_literal(chance, shape.format(text[start:end].swapcase() or "o"))


def an_integer(chance: random.Random) -> str:
    """Return an integer literal, most often one that a node has."""
    value = chance.choice(INTEGERS[:8]) if chance.random() < 0.9 else chance.choice(INTEGERS)
    if value < 0:
        return str(value)
    spelling = chance.random()
    if spelling < 0.07:
        return f"{chance.choice(('0x', '0X'))}{value:{chance.choice('xX')}}"
    return f"0{value}" if spelling < 0.1 else str(value)


def a_double(chance: random.Random) -> str:
    """Return a literal with a fraction or an exponent."""
    value = chance.choice(DOUBLES)
    forms = [str(value), f"{value:.3e}" if abs(value) < 1000 else str(value)]
    if value == int(value):
        forms += [f"{int(value)}.", f"{int(value)}.0", f"{int(value)}E0"]
    elif 0 < value < 1:
        forms.append(str(value)[1:])
    return chance.choice(forms)
