"""Import a file of calls and SMS: for operators, who get it from the carrier."""

import asyncio
import sys
from pathlib import Path

from portal_app.domain.calls.call_file import BadCallFile
from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command
from portal_app.services.calls.call_import import CallImport
from portal_app.wiring.portal import build


async def import_calls(settings: Settings, file: Path) -> CallImport:
    """Import one file. Raises BadCallFile, OSError."""
    portal = build(settings, role="worker")
    try:
        with file.open("rb") as content:
            return await portal.calls.imports.run(content)
    finally:
        await portal.close()


def report_of(done: CallImport) -> list[str]:
    """Return what an import came to, in lines for the operator; numbers of customers are not shown."""
    lines = [f"{done.rows} rows read, {done.added} new, {done.changed} corrected."]
    counts = (
        (done.unknown, "are of numbers that no service is linked to"),
        (done.not_theirs, "are from before the line was its customer's, or its begin is not known yet"),
        (done.old, "are older than records are kept"),
    )
    lines += [f"{count} rows {what}." for count, what in counts if count]
    if done.problems:
        told = ", ".join(f"{name}: {count}" for name, count in sorted(done.problems.items()))
        lines.append(f"{done.problems.total()} rows were left out ({told}).")
        lines += [f"  line {row.place}: {row.problem}" for row in done.bad]
    return lines


def main() -> int:
    """Import the file that the command line names; return 1 where nothing of it could be used, 2 for bad rows."""
    settings = read_settings_of_command()
    set_up_logs(process="calls-import", log_format="text", level="WARNING")
    try:
        done = asyncio.run(import_calls(settings, Path(sys.argv[1])))
    except (BadCallFile, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(report_of(done)) + "\n")
    return 2 if done.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
