"""The environment of alembic, which always runs on the connection passed to `upgrade`."""

from alembic import context

from lineage_store.database.schema.revisions import REVISION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=REVISION_TABLE,
    render_as_batch=True,
    transactional_ddl=False,  # the caller has begun a transaction and commits it
)
context.run_migrations()
