"""A module that is imported when it is needed."""


def late(x):
    return x - 1  # becomes: return x - 2
