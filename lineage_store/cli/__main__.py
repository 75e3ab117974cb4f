"""`python -m lineage_store.cli`."""

from lineage_store.cli.main import main

main()
