"""`python -m lineage_store`: the command line."""

from lineage_store.cli import main

main()
