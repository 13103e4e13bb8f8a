"""The system user that the database server runs as: PostgreSQL refuses to run as root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from chassis.errors import StoreError

__all__ = ["UNPRIVILEGED_USERS", "Account", "choose_account"]

UNPRIVILEGED_USERS = ("postgres", "nobody")
"""Users that root drops to, in order of preference."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system user by name and numbers."""

    name: str
    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        """Whether this process already runs as that user."""
        return self.uid == os.geteuid()


def choose_account(cluster: Path, *, user: str | None = None) -> Account:
    """Return the user to run as: the owner of an existing `cluster`, else ourselves, else (as root) another.

    Raises StoreError when the cluster belongs to somebody this process cannot become, or when no
    unprivileged user exists.
    """
    if cluster.exists():
        return _account_of_owner(cluster)
    if os.geteuid() != 0:
        return _account_of_uid(os.geteuid(), gid=os.getegid())
    return _first_existing((user,) if user is not None else UNPRIVILEGED_USERS)


def _account_of_owner(cluster: Path) -> Account:
    owner = _account_of_uid(cluster.stat().st_uid, gid=cluster.stat().st_gid)
    if os.geteuid() not in (0, owner.uid):
        raise StoreError(f"the database in {cluster} belongs to the user {owner.name}: start as that user")
    if owner.uid == 0:
        raise StoreError(f"the database in {cluster} belongs to root, which PostgreSQL refuses")
    return owner


def _account_of_uid(uid: int, *, gid: int) -> Account:
    try:
        return Account(name=pwd.getpwuid(uid).pw_name, uid=uid, gid=gid)
    except KeyError:  # containers run as numbers without a name
        return Account(name=str(uid), uid=uid, gid=gid)


def _first_existing(names: tuple[str, ...]) -> Account:
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StoreError(f"PostgreSQL does not run as root and there is no user named {' or '.join(names)}")
