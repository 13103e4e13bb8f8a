"""A process that holds an embedded database until its standard input ends.

`python -m tests.fakes.postgres_holder DATA RUNTIME` prints one line of JSON: the DSN, the server's process
ids and our user id.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import asyncpg
import psutil

from chassis.postgres.embedded import EmbeddedPostgres


async def _hold(data: Path, runtime: Path) -> None:
    async with EmbeddedPostgres(data, runtime_directory=runtime) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (n integer)")
        await connection.execute("INSERT INTO kept VALUES (1)")
        postmaster = psutil.Process(server.pid)
        pids = [process.pid for process in (postmaster, *postmaster.children(recursive=True))]
        print(json.dumps({"dsn": server.dsn, "pids": pids, "uid": os.geteuid()}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await connection.close()


if __name__ == "__main__":
    asyncio.run(_hold(Path(sys.argv[1]), Path(sys.argv[2])))
