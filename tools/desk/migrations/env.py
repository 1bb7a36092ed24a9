"""Run by alembic: apply the versions on the connection that `store.migrate` hands over."""

from alembic import context

from storewise.tools.desk import record_tables  # noqa: F401  (their tables belong to the metadata)
from storewise.tools.desk.store import VERSION_TABLE
from storewise.tools.desk.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
