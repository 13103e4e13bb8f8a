"""PostgreSQL: an embedded server, pools of connections, migrations, vectors as bytes."""

from chassis.postgres.dumps import dump, restore
from chassis.postgres.embedded import EmbeddedPostgres
from chassis.postgres.migrations import (
    Migration,
    SchemaSource,
    load_migrations,
    migrate,
    pending,
    require_schema,
)
from chassis.postgres.pool import Connection, Pool, connect, open_pool, ping
from chassis.postgres.purge import PURGE_SETTINGS, purge
from chassis.postgres.translation import translate
from chassis.postgres.vectors import vector_from_bytes, vector_to_bytes, vectors_from_bytes

__all__ = [
    "EmbeddedPostgres",
    "dump",
    "restore",
    "PURGE_SETTINGS",
    "purge",
    "Pool",
    "Connection",
    "open_pool",
    "connect",
    "ping",
    "translate",
    "SchemaSource",
    "Migration",
    "load_migrations",
    "migrate",
    "pending",
    "require_schema",
    "vector_to_bytes",
    "vector_from_bytes",
    "vectors_from_bytes",
]
