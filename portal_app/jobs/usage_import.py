"""Import a file of daily usage: for operators, who get it from the carrier."""

import asyncio
import sys
from pathlib import Path

from portal_app.domain.sim.usage_file import BadUsageFile
from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command
from portal_app.services.sim.usage_import import UsageImport
from portal_app.wiring.portal import build


async def import_usage(settings: Settings, content: bytes) -> UsageImport:
    """Import what one file holds. Raises BadUsageFile."""
    portal = build(settings, role="worker")
    try:
        return await portal.sim.usage_imports.run(content)
    finally:
        await portal.close()


def report_of(done: UsageImport) -> list[str]:
    """Return what an import came to, in lines for the operator; numbers of customers are not shown."""
    lines = [f"{done.rows} rows read, {done.changed} days written."]
    if done.unknown:
        lines.append(f"{done.unknown} rows are of numbers that no service is linked to.")
    if done.problems:
        counts = ", ".join(f"{name}: {count}" for name, count in sorted(done.problems.items()))
        lines.append(f"{done.problems.total()} rows were left out ({counts}).")
        lines += [f"  line {row.place}: {row.problem}" for row in done.bad]
    return lines


def main() -> int:
    """Import the file that the command line names; return 1 where nothing of it could be used, 2 for bad rows."""
    settings = read_settings_of_command()
    set_up_logs(process="usage-import", log_format="text", level="WARNING")
    try:
        done = asyncio.run(import_usage(settings, Path(sys.argv[1]).read_bytes()))
    except (BadUsageFile, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(report_of(done)) + "\n")
    return 2 if done.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
