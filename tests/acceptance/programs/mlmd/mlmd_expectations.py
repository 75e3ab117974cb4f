"""The common part of the calls of mlmd_client_calls.py: a store, and the errors to expect."""

import importlib
from contextlib import contextmanager

MISSING = 999_999
"""An id that no node and no type has."""


class Recorder:
    """A store that remembers which of its members were used."""

    def __init__(self, store):
        self._store = store
        self.called = set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self._store, name)


class Expectations:
    """The modules under test, and an empty store."""

    def __init__(self, module, config):
        self.mlmd = importlib.import_module(module)
        self.errors = importlib.import_module(f"{module}.errors")
        self.pb = importlib.import_module(f"{module}.proto.metadata_store_pb2")
        self.rpc = importlib.import_module(f"{module}.proto.metadata_store_service_pb2")
        self.types = importlib.import_module(f"{module}.metadata_store.mlmd_types")
        self.store = Recorder(self.mlmd.MetadataStore(config(self.mlmd.proto)))

    @contextmanager
    def raises(self, name):
        caught = None
        try:
            yield
        except self.errors.StatusError as error:
            caught = error
        assert type(caught) is getattr(self.errors, f"{name}Error"), repr(caught)
        assert caught.error_code == getattr(self.errors, self.code_name(name))
        assert caught.message == str(caught)

    @staticmethod
    def code_name(name):
        return "".join("_" + c if c.isupper() else c for c in name).lstrip("_").upper()

    def refused(self, cls, *args, **keywords):
        try:
            self.mlmd.MetadataStore(*args, **keywords)
        except cls as error:
            return error
        raise AssertionError(f"{args} was accepted")

    def external_id_errors(self, get):
        with self.raises("NotFound"):
            get(["none"])
        with self.raises("InvalidArgument"):
            get([""])
        assert get(external_ids=[]) == []
