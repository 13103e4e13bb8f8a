"""Turns itself into a program that runs as another user and dies with its parent.

Run as a script of its own, never imported: between fork and exec a process with threads may do almost
nothing safely, so the work is done here, after an exec, in a fresh interpreter (see `_spawn`).
Arguments: parent's pid, signal on the parent's death, uid, gid, working directory, program, its arguments.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_FAILED = 126


def _main(arguments: list[str]) -> None:
    parent, death_signal, uid, gid = (int(argument) for argument in arguments[:4])
    directory, *command = arguments[4:]
    _become(uid, gid)
    _die_with(parent, death_signal)
    os.umask(0o077)
    os.chdir(directory)
    os.execv(command[0], command)


def _become(uid: int, gid: int) -> None:
    if os.geteuid() == uid:
        return
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)


def _die_with(parent: int, death_signal: int) -> None:
    # After setuid, which clears it; the exec of a plain program keeps it.
    if not sys.platform.startswith("linux"):
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died before the line above
        sys.exit(_FAILED)


if __name__ == "__main__":
    try:
        _main(sys.argv[1:])
    except OSError as exc:
        sys.stderr.write(f"launcher: as user id {os.geteuid()}: {exc.strerror}: {exc.filename or ''}\n")
        sys.exit(_FAILED)
