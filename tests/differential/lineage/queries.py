"""Random queries of GetLineageSubgraph."""

import random

from google.protobuf.message import Message

from lineage_store.v1 import metadata_pb2 as pb
from tests.differential.filters.literals import a_pattern
from tests.differential.filters.population import TYPES
from tests.differential.filters.writing import Writer
from tests.differential.peers import request_of

FIELDS = tuple(pb.LineageGraph.DESCRIPTOR.fields_by_name)
_UNKNOWN_PATHS = ("artifacts.id", "nothing", "artifact", "")
_KINDS = ("artifact", "execution")


def query(chance: random.Random, sizes: dict[str, int], used: set[str]) -> Message:
    """Return a request, most often one that finds something; `used` learns its features."""
    request = request_of("GetLineageSubgraph")
    options = request.lineage_subgraph_query_options
    kind = chance.choice(_KINDS)
    used.add(f"starting {kind}s")
    starting = getattr(options, f"starting_{kind}s")
    starting.filter_query = _start(chance, kind, sizes, used)
    if chance.random() < 0.03:
        used.add("no start")
        options.ClearField("starting_nodes")
    if chance.random() < 0.85:
        options.max_num_hops = chance.choice((0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6, 100))
        if chance.random() < 0.02:
            options.max_num_hops = chance.choice((-1, -(2**31)))
        used.add(f"hops {options.max_num_hops}")
    if chance.random() < 0.8:
        options.direction = chance.choice((0, 1, 1, 1, 2, 2, 2, 3))
        used.add(f"direction {options.direction}")
    _end(chance, options, sizes, used)
    _mask(chance, request, used)
    return request


def _start(chance: random.Random, kind: str, sizes: dict[str, int], used: set[str]) -> str:
    if chance.random() < 0.1:
        used.add("any filter")
        return Writer(chance, kind, sizes).filter()
    if chance.random() < 0.03:
        return chance.choice(("", " ", "id", "id = 0", "id = 1 AND"))
    return _nodes(chance, kind, sizes)


def _nodes(chance: random.Random, kind: str, sizes: dict[str, int]) -> str:
    """Return a filter that finds few nodes, or now and then many."""
    some = sorted(chance.sample(range(1, sizes[kind] + 1), chance.randint(1, 3)))
    return chance.choice(
        (
            f"id = {some[0]}",
            f"id = {some[-1]}",
            f"id IN ({', '.join(map(str, some))})",
            f"id IN ({', '.join(map(str, some))})",
            f"id <= {some[0]}",
            f"type = '{chance.choice(TYPES)[0]}' AND id > {some[-1]}",
            f"name LIKE {a_pattern(chance)}",
            f"contexts_a.id = {chance.randint(1, sizes['context'])}",
            f"events_a.type = {chance.choice(('INPUT', 'OUTPUT', 'DECLARED_INPUT'))}",
            "TRUE",
        )
    )


def _end(chance: random.Random, options: Message, sizes: dict[str, int], used: set[str]) -> None:
    if chance.random() < 0.5:
        return
    kind = chance.choice(_KINDS)
    ending = getattr(options, f"ending_{kind}s")
    used.add(f"ending {kind}s")
    ending.SetInParent()
    if chance.random() < 0.92:
        ending.filter_query = _start(chance, kind, sizes, used)
    if chance.random() < 0.5:
        ending.include_ending_nodes = True
        used.add(f"including ending {kind}s")


def _mask(chance: random.Random, request: Message, used: set[str]) -> None:
    if chance.random() < 0.65:
        return
    used.add("read mask")
    paths = chance.sample(FIELDS, chance.randint(0, 4))
    if chance.random() < 0.15:
        paths.append(chance.choice(_UNKNOWN_PATHS))
        used.add("unknown path")
    request.read_mask.paths.extend(paths)
