"""Serves the real ML Metadata core over stdin and stdout; run by the interpreter that has it.

This script can import nothing of this project. A request is a frame of two byte strings, each after
its length as a big-endian uint32: the name of a method and the encoded request. An empty name opens
a store in place of the old one: that of the ConnectionConfig in the request, or, if it is empty, a
new one in memory. The answer is the status code as an int32, then the message of the status and the
encoded response, framed the same way.
"""

import os
import struct
import sys

from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as core
from ml_metadata.proto import metadata_store_pb2


def open_store(encoded):
    """Return the handle of a store."""
    config = metadata_store_pb2.ConnectionConfig.FromString(encoded)
    if not encoded:
        config.fake_database.SetInParent()
    # Without it, ML Metadata makes no tables on PostgreSQL.
    options = metadata_store_pb2.MigrationOptions(enable_upgrade_migration=True)
    return core.CreateMetadataStore(config.SerializeToString(), options.SerializeToString())


def read_frame(source):
    """Return the next byte string, or None at the end of the input."""
    header = source.read(4)
    return source.read(struct.unpack(">I", header)[0]) if header else None


def main():
    """Answer until the input ends."""
    # The core may print; what it prints must not end up between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    store = None
    while (method := read_frame(sys.stdin.buffer)) is not None:
        request = read_frame(sys.stdin.buffer)
        if method:
            response, message, code = getattr(core, method.decode())(store, request)
        else:
            store, response, message, code = open_store(request), b"", b"", 0
        answers.write(struct.pack(">iI", code, len(message)) + message)
        answers.write(struct.pack(">I", len(response)) + response)
        answers.flush()


if __name__ == "__main__":
    main()
