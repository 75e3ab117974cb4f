"""The Python API, over an engine in this process or a gRPC channel."""
