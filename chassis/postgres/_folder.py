"""The folder an embedded database lives in: who holds it, its log, its place for the socket."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from chassis.errors import AlreadyRunning, StoreError
from chassis.postgres._account import Account

__all__ = ["DatabaseFolder"]

_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PREFIX = "marquee-pg-"
_SOCKET_PATH_LIMIT = 107  # bytes of a path in sockaddr_un, without its final zero
_LOG_LIMIT = 8 * 2**20


class DatabaseFolder:
    """Names and guards the files of one embedded database."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.cluster = self.root / "cluster"
        """PostgreSQL's own data directory."""
        self.partial_cluster = self.root / "cluster.partial"
        """Where a cluster is made; it becomes `cluster` when it is complete."""
        self.log = self.root / "server.log"
        self._lock = self.root / "lock"
        self._socket_link = self.root / "socket"

    @property
    def cluster_name(self) -> str:
        """A name for this folder's processes, the same at every start and under every path to it."""
        status = self.root.stat()
        return f"marquee-{status.st_dev:x}-{status.st_ino:x}"

    def __repr__(self) -> str:
        return f"DatabaseFolder({str(self.root)!r})"

    def create(self) -> None:
        """Make the folder and its missing parents; root's are such that the server's user can enter them."""
        missing = [path for path in (self.root, *self.root.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            path.chmod(0o755 if os.geteuid() == 0 else 0o700)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder alone; the kernel lets go when this process ends, however it ends.

        Raises AlreadyRunning when another process holds it.
        """
        with open(os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise AlreadyRunning(f"another process runs the database in {self.root}") from exc
            yield

    def open_log(self) -> IO[bytes]:
        """Open the server's log to append to; a long one is set aside first, one old log is kept."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        return open(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0)

    def log_tail(self, *, lines: int = 12) -> str:
        """Return the last lines of the server's log."""
        try:
            text = self.log.read_bytes()[-16_384:].decode(errors="replace")
        except OSError as exc:
            return f"(no log: {exc.strerror})"
        return "\n".join(text.splitlines()[-lines:])

    @contextmanager
    def socket_directory(self, account: Account) -> Iterator[Path]:
        """Give a new private directory with a short path, owned by `account`, removed at the end.

        A path to a socket has at most 107 bytes and data folders may be deep, so it lies elsewhere; the link
        `socket` in this folder tells where, and lets the next start remove what a killed process left.
        """
        self._remove_sockets()
        directory = _make_private_directory(account)
        try:
            self._socket_link.symlink_to(directory)
            yield directory
        finally:
            self._remove_sockets()
            shutil.rmtree(directory, ignore_errors=True)

    def _remove_sockets(self) -> None:
        if not self._socket_link.is_symlink():
            return
        target = self._socket_link.readlink()
        if target.name.startswith(_SOCKET_PREFIX) and not target.is_symlink():
            # Nothing but the sockets: a link that somebody changed must not cost other files.
            for name in (_SOCKET_NAME, f"{_SOCKET_NAME}.lock"):
                with suppress(OSError):
                    (target / name).unlink()
            with suppress(OSError):
                target.rmdir()
        self._socket_link.unlink()


def _make_private_directory(account: Account) -> Path:
    for base in _socket_bases(account):
        if (
            len(os.fsencode(base)) + len(f"/{_SOCKET_PREFIX}12345678/") + len(_SOCKET_NAME)
            > _SOCKET_PATH_LIMIT
        ):
            continue
        with suppress(OSError):
            directory = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=base))  # mode 0700
            if not account.is_current:
                os.chown(directory, account.uid, account.gid)
            return directory
    raise StoreError("no directory for temporary files with a short path can be written: set TMPDIR=/tmp")


def _socket_bases(account: Account) -> list[str]:
    bases = ["/tmp", tempfile.gettempdir()]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if account.is_current and runtime.startswith("/") and runtime.replace("/", "").replace("-", "").isalnum():
        bases.insert(0, runtime)  # a user's own, but closed to a user that root drops to
    return bases
