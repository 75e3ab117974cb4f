"""Numbers on the command line, bounded by the fields of a request."""

import click

from lineage_store.lineage.identity import MAX_ID

ID = click.IntRange(min=1, max=MAX_ID)
"""The id of a node or of an event."""

COUNT = click.IntRange(min=1, max=2**31 - 1)
HOPS = click.IntRange(min=0, max=2**31 - 1)
SECONDS = click.FloatRange(min=0, min_open=True, max=86_400.0)
