"""The RPCs of ML Metadata: types, nodes, edges and listings."""
