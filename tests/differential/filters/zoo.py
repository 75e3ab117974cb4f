"""A small store for fixed filters."""

from google.protobuf import text_format

from tests.differential.peers import Store, request_of

_TYPES = """
artifact_types {
  name: "A" version: "1"
  properties { key: "i" value: INT } properties { key: "d" value: DOUBLE }
  properties { key: "s" value: STRING } properties { key: "b" value: BOOLEAN }
  properties { key: "st" value: STRUCT } properties { key: "p" value: PROTO }
}
artifact_types { name: "A" version: "2" properties { key: "i" value: INT } }
artifact_types { name: "Bee" }
execution_types { name: "E" }
context_types { name: "C" }
"""
_ARTIFACTS = r"""
artifacts {
  type_id: 10 name: "one" uri: "u/1" state: LIVE external_id: "x1"
  properties { key: "i" value { int_value: 1 } }
  properties { key: "d" value { double_value: 1.5 } }
  properties { key: "s" value { string_value: "abc" } }
  properties { key: "b" value { bool_value: true } }
  custom_properties { key: "c" value { int_value: 1 } }
}
artifacts {
  type_id: 10 name: "Two" uri: "U/2" state: DELETED
  properties { key: "i" value { int_value: -7 } }
  properties { key: "d" value { double_value: 2 } }
  properties { key: "s" value { string_value: "ABC" } }
  properties { key: "b" value { bool_value: false } }
  custom_properties { key: "c" value { string_value: "1" } }
}
artifacts { type_id: 10 }
artifacts {
  type_id: 11 name: "" uri: "" external_id: "x4"
  properties { key: "i" value { int_value: 3 } }
  custom_properties { key: "c" value { double_value: 1 } }
}
artifacts {
  type_id: 12 name: "naïve É" uri: "100%_x" state: PENDING
  custom_properties { key: "c" value { bool_value: true } }
}
artifacts {
  type_id: 10 name: "line\nbreak" uri: "it's" state: MARKED_FOR_DELETION
  properties {
    key: "st" value { struct_value { fields { key: "k" value { number_value: 1 } } } }
  }
  properties { key: "p" value { proto_value { type_url: "t/x" value: "y" } } }
}
artifacts {
  type_id: 10 name: "back\\slash" uri: "say \"hi\"" state: ABANDONED
  properties { key: "s" value { string_value: "ÉA" } }
}
artifacts {
  type_id: 10 name: "A" uri: "tab\there" state: REFERENCE
  custom_properties { key: "c" value { int_value: 10 } }
  custom_properties { key: "a.b" value { int_value: 1 } }
  custom_properties { key: "" value { int_value: 1 } }
  custom_properties { key: "Up" value { int_value: 1 } }
  custom_properties { key: "up" value { int_value: 2 } }
}
artifacts { type_id: 12 name: "q'\"" uri: "\001x" }
artifacts { type_id: 12 name: "uri" uri: "zz" }
artifacts { type_id: 12 name: "nul" uri: "uri" }
artifacts { type_id: 12 name: "name" uri: "table_0" }
artifacts { type_id: 12 name: "100" uri: "state = LIVE" }
"""
_EXECUTIONS = """
executions { type_id: 13 name: "e1" last_known_state: NEW }
executions { type_id: 13 last_known_state: RUNNING }
executions { type_id: 13 last_known_state: COMPLETE external_id: "ex3" }
executions { type_id: 13 last_known_state: FAILED }
executions { type_id: 13 last_known_state: CACHED }
executions { type_id: 13 last_known_state: CANCELED }
executions { type_id: 13 }
"""
_CONTEXTS = """
contexts { type_id: 14 name: "c1" }
contexts { type_id: 14 name: "c2" external_id: "cx2" }
contexts { type_id: 14 name: "c3" }
"""
_PARENTS = """
parent_contexts { child_id: 2 parent_id: 1 }
parent_contexts { child_id: 3 parent_id: 1 }
"""
_MEMBERSHIPS = """
attributions { artifact_id: 1 context_id: 1 } attributions { artifact_id: 1 context_id: 2 }
attributions { artifact_id: 2 context_id: 1 } attributions { artifact_id: 3 context_id: 2 }
associations { execution_id: 1 context_id: 1 } associations { execution_id: 2 context_id: 2 }
"""
_EVENTS = """
events { artifact_id: 1 execution_id: 1 type: DECLARED_OUTPUT milliseconds_since_epoch: 100 }
events { artifact_id: 2 execution_id: 1 type: DECLARED_INPUT milliseconds_since_epoch: 200 }
events { artifact_id: 3 execution_id: 1 type: INPUT milliseconds_since_epoch: 300 }
events { artifact_id: 4 execution_id: 1 type: OUTPUT milliseconds_since_epoch: 400 }
events { artifact_id: 5 execution_id: 1 type: INTERNAL_INPUT milliseconds_since_epoch: 500 }
events { artifact_id: 6 execution_id: 1 type: INTERNAL_OUTPUT milliseconds_since_epoch: 600 }
events { artifact_id: 7 execution_id: 1 type: PENDING_OUTPUT milliseconds_since_epoch: 700 }
events { artifact_id: 1 execution_id: 2 type: INPUT milliseconds_since_epoch: 5 }
"""
_PUTS = (
    ("PutTypes", _TYPES),
    ("PutArtifacts", _ARTIFACTS),
    ("PutExecutions", _EXECUTIONS),
    ("PutContexts", _CONTEXTS),
    ("PutParentContexts", _PARENTS),
    ("PutAttributionsAndAssociations", _MEMBERSHIPS),
    ("PutEvents", _EVENTS),
)
SIZES = {"artifact": 13, "execution": 7, "context": 3}


def build(store: Store) -> None:
    """Put it all into a store, whose types count from 10 and whose nodes count from 1."""
    store.reset()
    for method, text in _PUTS:
        answer = store.call(method, text_format.Parse(text, request_of(method)))
        assert answer.code == 0, f"{store.name}: {method}: {answer.message}"
