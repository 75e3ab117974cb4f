"""`python -m lineage_store.cli`."""

from lineage_store.cli import main

main()
