"""Turns itself into a program that dies with its parent.

Run as a script of its own, never imported: between fork and exec a process with threads may do almost
nothing safely, so the work is done here, after an exec, in a fresh interpreter.
Arguments: the parent's pid, the program, its arguments.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_FAILED = 126


def _main(parent: int, command: list[str]) -> None:
    # Other systems have no such signal: there a supervisor that is killed with SIGKILL leaves its children.
    if sys.platform.startswith("linux"):
        # SIGKILL, since nobody is left to insist. The database keeps what was committed.
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        if os.getppid() != parent:  # it died before the line above
            sys.exit(_FAILED)
    # Stays so after the exec until the program says otherwise: a service that has nothing to reload, or not
    # yet, must not end because of it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.execv(command[0], command)


if __name__ == "__main__":
    try:
        _main(int(sys.argv[1]), sys.argv[2:])
    except OSError as exc:
        sys.stderr.write(f"marquee: {exc.strerror}: {exc.filename or ''}\n")
        sys.exit(_FAILED)
