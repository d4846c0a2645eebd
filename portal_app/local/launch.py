"""Script that replaces itself by another program, which gets a signal when its parent process dies. Linux only.

Usage: launch.py SIGNAL PARENT UID GID PROGRAM ARGUMENT... (UID -1 keeps the account).
A `preexec_fn` would be shorter, but it is unsafe in a process with threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def launch(parting_signal: int, parent: int, *, uid: int, gid: int, argv: list[str]) -> None:
    """Change to the account, request the signal at the parent's death, and execute the program."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, parting_signal)  # after setuid, which would reset it
    if os.getppid() != parent:  # the parent died before prctl
        raise SystemExit(1)
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell is the point
    except OSError as error:
        raise SystemExit(f"{argv[0]}: {error.strerror}") from None


if __name__ == "__main__":
    number, parent_pid, user, group = map(int, sys.argv[1:5])
    launch(number, parent_pid, uid=user, gid=group, argv=sys.argv[5:])
