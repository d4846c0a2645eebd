"""Becomes another program that leaves when its parent does; a script of its own, run between fork and that program.

Called as: launch.py SIGNAL PARENT UID GID PROGRAM ARGUMENT... (UID -1 keeps the account). Linux only.
A `preexec_fn` would do the same in fewer lines, but forks a process with threads, which Python rightly warns about.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def launch(parting_signal: int, parent: int, *, uid: int, gid: int, argv: list[str]) -> None:
    """Drop to the account, tie this process to its parent, become the program."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, parting_signal)  # after the change of account, which would undo it
    if os.getppid() != parent:  # it died before the tie was made
        raise SystemExit(1)
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell is the point
    except OSError as error:
        raise SystemExit(f"{argv[0]}: {error.strerror}") from None


if __name__ == "__main__":
    number, parent_pid, user, group = map(int, sys.argv[1:5])
    launch(number, parent_pid, uid=user, gid=group, argv=sys.argv[5:])
