"""Random property values, texts, types and nodes.

Most choices are drawn from small pools: clashes, updates and hits are worth comparing, and
they come only from repetition. Values that ML Metadata damages on the way are left out
here and compared case by case in test_deliberate_differences.py.
"""

from google.protobuf import struct_pb2, text_format
from hypothesis import strategies as st

from lineage_store.v1 import metadata_pb2
from tests.differential.identities import ANY_TYPE, UNKNOWN

NODES = {
    "artifact": metadata_pb2.Artifact,
    "execution": metadata_pb2.Execution,
    "context": metadata_pb2.Context,
}
TYPES = {
    "artifact": metadata_pb2.ArtifactType,
    "execution": metadata_pb2.ExecutionType,
    "context": metadata_pb2.ContextType,
}

# A request holds many things that may be wrong, and one is enough to refuse it all: each must be
# rare. All shrink to False.
rarely = st.integers(0, 49).map(lambda number: number == 31)
sometimes = st.integers(0, 3).map(lambda number: number == 3)

# Names that a type may declare, each nearly always with the same kind of value, and names that only
# custom properties have: a name in both maps of a node is a deliberate difference.
DECLARED = {
    "count": metadata_pb2.INT,
    "score": metadata_pb2.DOUBLE,
    "label": metadata_pb2.STRING,
    "config": metadata_pb2.STRUCT,
    "blob": metadata_pb2.PROTO,
    "flag": metadata_pb2.BOOLEAN,
}
CUSTOM = ("note", "Note", "a.b", "with blank", "ключ", "100%", "it's", "")

RARE_TEXTS = (
    "",
    " ",
    "it's",
    'say "hi"',
    "back\\slash",
    "line\nbreak",
    "%s %d",
    "-- ; DROP",
    "naïve 数据 🎲",
    "NULL",
    "0",
    "x" * 300,
)


def _survives(text: str) -> bool:
    """Return True if ML Metadata gives a string back as it was."""
    return text != "__MLMD_NULL__" and not text.startswith("mlmd-struct::")


any_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5
).filter(_survives)
texts = st.one_of(st.sampled_from(("one", "two", "three")), st.sampled_from(RARE_TEXTS), any_text)

references = st.one_of(st.integers(1, 4), st.integers(1, 12))
unknown_ids = st.sampled_from((UNKNOWN, UNKNOWN + 7, 0, -1, -(2**63), 2**63 - 1))


@st.composite
def ids(draw: st.DrawFn) -> int:
    """Return a reference, or rarely an id that nobody has."""
    return draw(unknown_ids if draw(rarely) else references)


# The reference to the first type of a kind: the rich one.
RICH = 1


@st.composite
def type_ids(draw: st.DrawFn) -> int:
    """Return a reference to a type, mostly to the rich one that most sequences start with."""
    chance = draw(st.integers(0, 49))
    if chance == 31:
        return draw(unknown_ids)
    if chance == 32:
        return ANY_TYPE + draw(st.integers(0, 14))
    return RICH if chance < 40 else draw(st.integers(2, 5))


def _struct(content: dict) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(content)
    return struct


structs = st.sampled_from(
    [
        _struct(content)
        for content in (
            {},
            {"key": 1.5},
            {"list": [1, "two", None, True], "nested": {"empty": {}, "ж": "\n"}},
        )
    ]
)
doubles = st.one_of(
    st.sampled_from((0.0, 1.0, -2.5, 0.1, 123456.789012, 1e15, 2.0**40, -1e300)),
    # ML Metadata writes six decimals and reads fifteen digits.
    st.integers(-(10**9), 10**9).map(lambda millionths: millionths / 10**6),
)
integers = st.one_of(
    st.integers(-3, 3),
    st.sampled_from((2**31, 2**53 + 1, 2**63 - 1, -(2**63))),
    st.integers(-999, 999),
)


@st.composite
def values(draw: st.DrawFn, kind: int) -> metadata_pb2.Value:
    """Return a property value of a kind; of UNKNOWN, a value that holds nothing."""
    value = metadata_pb2.Value()
    if kind == metadata_pb2.INT:
        value.int_value = draw(integers)
    elif kind == metadata_pb2.DOUBLE:
        value.double_value = draw(doubles)
    elif kind == metadata_pb2.STRING:
        value.string_value = draw(texts)
    elif kind == metadata_pb2.STRUCT:
        value.struct_value.CopyFrom(draw(structs))
    elif kind == metadata_pb2.PROTO:
        value.proto_value.type_url = draw(st.sampled_from(("type.googleapis.com/a.B", "x", "ж")))
        value.proto_value.value = draw(st.sampled_from((b"", b"\x08\x01", b"\0\xff\n")))
    elif kind == metadata_pb2.BOOLEAN:
        value.bool_value = draw(st.booleans())
    return value


kinds_of_value = st.sampled_from(sorted(DECLARED.values()))


@st.composite
def _fill_properties(draw: st.DrawFn, node: metadata_pb2.Artifact) -> None:
    declared = st.sampled_from(sorted(DECLARED))
    # A type other than the rich one may well lack the property.
    most = 3 if node.type_id in (0, RICH) else int(draw(sometimes))
    for name in draw(st.lists(declared, unique=True, max_size=most)):
        kind = DECLARED[name]
        if draw(rarely):
            kind = draw(st.one_of(kinds_of_value, st.just(metadata_pb2.UNKNOWN)))
        node.properties[name].CopyFrom(draw(values(kind)))
    if draw(rarely):
        node.properties["undeclared"].CopyFrom(draw(values(metadata_pb2.INT)))
    for name in draw(st.lists(st.sampled_from(CUSTOM), unique=True, max_size=2)):
        node.custom_properties[name].CopyFrom(draw(values(draw(kinds_of_value))))


NODE_NAMES = {
    "artifact": ("one", "two", "three", "four", "naïve 数据", ""),
    "execution": ("one", "two", "three", "four", "it's", ""),
    "context": ("one", "two", "three", "four", "five", "six", "seven", "run 🎲", "n" * 200),
}
EXTERNAL_IDS = ("x1", "x2", "x3", "x4", "X1", "ид", "x 'quoted'")
URIS = ("", "s3://bucket/a", "s3://bucket/b", "file:///tmp/ü", "u" * 400)


@st.composite
def nodes(draw: st.DrawFn, kind: str, *, updates: st.SearchStrategy[bool]) -> metadata_pb2.Artifact:
    """Return a node to put.

    Args:
        draw: Given by hypothesis.
        kind: One of KINDS.
        updates: Whether the node gets an id, and so updates a node that exists.
    """
    node = NODES[kind]()
    update = draw(updates)
    if update:
        node.id = draw(ids())
    # An update may leave the type out, a creation must not.
    if not draw(sometimes if update else rarely):
        node.type_id = draw(type_ids())
    if draw(rarely if kind == "context" else sometimes) != (kind == "context"):
        node.name = draw(st.sampled_from(NODE_NAMES[kind]))
    if draw(sometimes):
        node.external_id = draw(st.sampled_from(EXTERNAL_IDS))
    if kind == "artifact" and draw(st.booleans()):
        node.uri = draw(st.sampled_from(URIS))
    if kind == "artifact" and draw(sometimes):
        node.state = draw(st.integers(0, 6))
    if kind == "execution" and draw(st.booleans()):
        node.last_known_state = draw(st.integers(0, 6))
    draw(_fill_properties(node))
    if draw(rarely):
        draw(_fill_ignored(node))
    return node


@st.composite
def _fill_ignored(draw: st.DrawFn, node: metadata_pb2.Artifact) -> None:
    """Set fields that a store fills in itself or does not keep."""
    node.type = draw(texts)
    node.create_time_since_epoch = draw(st.sampled_from((0, 5, -5)))
    node.last_update_time_since_epoch = 5
    node.system_metadata.type_url = "type.googleapis.com/a.B"


VERSIONS = ("", "1", "v2")
STRUCT_TYPES = [
    text_format.Parse(text, metadata_pb2.ArtifactStructType())
    for text in (
        "any {}",
        "none {}",
        'simple { name: "Rich" properties { key: "count" value: INT } }',
        """dict {
          properties { key: "in" value { list { element { any {} } } } }
          none_type_not_required: false
          extra_properties_type { union_type { candidates { none {} } candidates { any {} } } }
        }""",
        "tuple { elements { intersection {} } elements { any {} } }",
    )
]


@st.composite
def node_types(draw: st.DrawFn, kind: str) -> metadata_pb2.ArtifactType:
    """Return a type to put: new, or another form of one that exists."""
    node_type = TYPES[kind]()
    if not draw(rarely):
        names = ("Rich", "Bare", "Rich", "Other", "mlmd.Dataset", "mlmd.Train", "Тип", "")
        node_type.name = draw(st.sampled_from(names))
    if draw(sometimes):
        node_type.version = draw(st.sampled_from(VERSIONS))
    for name in draw(st.lists(st.sampled_from(sorted(DECLARED)), unique=True, max_size=6)):
        other = draw(st.integers(0, 6)) if draw(rarely) else DECLARED[name]
        node_type.properties[name] = other
    if draw(sometimes):
        node_type.description = draw(texts)
    if draw(sometimes):
        node_type.external_id = draw(st.sampled_from(EXTERNAL_IDS))
    if draw(sometimes):
        base_types = type(node_type).SystemDefinedBaseType.values()
        node_type.base_type = draw(st.sampled_from(sorted(base_types, reverse=True)))
    if draw(rarely):
        node_type.id = draw(ids())
    if kind == "execution" and draw(sometimes):
        node_type.input_type.CopyFrom(draw(st.sampled_from(STRUCT_TYPES)))
        node_type.output_type.CopyFrom(draw(st.sampled_from(STRUCT_TYPES)))
    return node_type


# What an event keeps of a time that a client gives; far from now, so that it is told from the
# clock of the server.
EVENT_TIMES = (0, -5, 1, 1_500_000_000_000, 2**62)


@st.composite
def events(draw: st.DrawFn, *, artifact: bool, execution: bool) -> metadata_pb2.Event:
    """Return an event.

    Args:
        draw: Given by hypothesis.
        artifact: Whether it nearly always names its artifact; else it rarely does.
        execution: The same for its execution.
    """
    event = metadata_pb2.Event()
    if draw(rarely) != artifact:
        event.artifact_id = draw(ids())
    if draw(rarely) != execution:
        event.execution_id = draw(ids())
    if not draw(rarely):
        event.type = draw(st.sampled_from((3, 4, 3, 4, 1, 2, 5, 6, 7, 0)))
    if draw(sometimes):
        event.milliseconds_since_epoch = draw(st.sampled_from(EVENT_TIMES))
    if draw(sometimes):
        event.path.SetInParent()
        for _ in range(draw(st.integers(0, 3))):
            step = event.path.steps.add()
            form = draw(st.integers(0, 4))
            if form < 2:
                step.index = draw(integers)
            elif form < 4:
                step.key = draw(texts)
    if draw(rarely):
        event.system_metadata.type_url = "x"
    return event
