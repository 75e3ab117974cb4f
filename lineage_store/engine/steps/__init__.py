"""Steps recorded: PutExecution and PutLineageSubgraph, RecordStep and RecordSteps."""
