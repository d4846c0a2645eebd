"""The `portal` command: one word per process. Each becomes that process, so that signals reach it directly."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from portal_app.local.errors import LocalError
from portal_app.local.world import World

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
mails = typer.Typer(no_args_is_help=True, help="The portal's mails.")
app.add_typer(mails, name="mails")
keys = typer.Typer(no_args_is_help=True, help="The keys of encrypted columns.")
app.add_typer(keys, name="keys")
cache = typer.Typer(no_args_is_help=True, help="What is kept ready in Redis.")
app.add_typer(cache, name="cache")
orders = typer.Typer(no_args_is_help=True, help="Orders, for operators.")
app.add_typer(orders, name="orders")
accounts = typer.Typer(no_args_is_help=True, help="Accounts, for operators.")
app.add_typer(accounts, name="accounts")
usage = typer.Typer(no_args_is_help=True, help="What SIM lines used.")
app.add_typer(usage, name="usage")
announce = typer.Typer(no_args_is_help=True, help="What customers are told of outages and maintenance.")
app.add_typer(announce, name="announce")
Yes = Annotated[bool, typer.Option("--yes", help="Do what is shown")]
Home = Annotated[Path, typer.Option(help="Where the demo keeps its data", envvar="PORTAL_HOME")]
CachedKind = Literal["catalog"]
DoctorProcess = Literal["all", "web", "worker", "listener"]
Shift = Annotated[str, typer.Option(help="How far to move it: 45m, 3h, 10d, or back with -3h")]
English = Annotated[str, typer.Option("--en", help="What it means and what to do, in English")]
Japanese = Annotated[str, typer.Option("--ja", help="The same in Japanese")]
Until = Annotated[str, typer.Option(help="Expected end, such as 2026-12-01T22:00 (Japan)")]
Port = Annotated[int, typer.Option(help="The port to try first", envvar="PORTAL_PORT")]


@app.command()
def web() -> None:
    """Serve pages, events, API and webhooks."""
    _become("portal_app.jobs.web")


@app.command()
def worker() -> None:
    """Run durable work and the schedule."""
    _become("portal_app.jobs.worker")


@app.command()
def listener() -> None:
    """Follow Salesforce's events."""
    _become("portal_app.jobs.listener")


@app.command()
def migrate() -> None:
    """Bring the database up to date, as its owner."""
    _become("portal_app.infra.database.migrate")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs")] = False,
    process: Annotated[DoctorProcess, typer.Option(help="Look at what this process uses")] = "all",
    only: Annotated[str, typer.Option(help="Groups or single checks, such as redis,whmcs.role")] = "",
    seconds: Annotated[float, typer.Option(help="Deadline of each check; 0: its own")] = 0,
) -> None:
    """Say whether the portal would work here, and what to do where not. Exit code 0 fine, 1 wrong, 78 settings."""
    options = ["--process", process, "--only", only, *(["--json"] if as_json else [])]
    _become("portal_app.jobs.admin.doctor", *options, *(["--seconds", str(seconds)] if seconds else []))


@mails.command()
def preview(folder: Annotated[Path, typer.Argument(help="Where to write")] = Path(".portal/mails")) -> None:
    """Write every mail in every language into a folder and print the page that lists them."""
    _become("portal_app.infra.email.preview", str(folder))


@keys.command()
def rotate(batch: Annotated[int, typer.Option(help="Rows locked at a time", min=1)] = 200) -> None:
    """Seal every encrypted value with the current key, while the portal runs. If it is stopped, run it again."""
    _become("portal_app.jobs.admin.rotate_keys", str(batch))


@cache.command()
def bust(what: Annotated[CachedKind, typer.Argument(help="What to invalidate")]) -> None:
    """Invalidate cached data in all processes; the next reader reads it again."""
    _become("portal_app.jobs.admin.invalidate_cache", what)


@orders.command("list")
def list_orders(every: Annotated[bool, typer.Option("--all", help="Finished ones too")] = False) -> None:
    """List unfinished orders, the longest without a step first."""
    _become("portal_app.jobs.admin.orders", "list", "all" if every else "unfinished")


@orders.command("show")
def show_order(order: str) -> None:
    """Show one order: its timeline and how each system has it."""
    _become("portal_app.jobs.admin.orders", "show", order)


@orders.command("retry")
def retry_order(order: str, yes: Yes = False) -> None:
    """Take an order up again where it stopped."""
    _become("portal_app.jobs.admin.orders", "retry", order, *(["--yes"] if yes else []))


@orders.command("undo")
def undo_order(order: str, yes: Yes = False) -> None:
    """Take an order's steps back, so that an agent can approve it again."""
    _become("portal_app.jobs.admin.orders", "undo", order, *(["--yes"] if yes else []))


@accounts.command("close")
def close_account(customer_number: str, yes: Yes = False) -> None:
    """Sign an account out everywhere and let nobody in; its services and bills stay."""
    _become("portal_app.jobs.admin.accounts", "close", customer_number, *(["--yes"] if yes else []))


@accounts.command("reopen")
def reopen_account(customer_number: str, yes: Yes = False) -> None:
    """Let a closed account's owner sign in again."""
    _become("portal_app.jobs.admin.accounts", "reopen", customer_number, *(["--yes"] if yes else []))


@usage.command("import")
def import_usage(
    file: Annotated[Path, typer.Argument(help="The carrier's daily file of usage, CSV")],
) -> None:
    """Import a file of daily usage. The same file again changes nothing; bad rows are reported, the rest is taken."""
    _become("portal_app.jobs.admin.usage_import", str(file))


@announce.command("list")
def list_announcements() -> None:
    """List what is announced, planned, or was over within 90 days."""
    _become("portal_app.jobs.admin.announce", "list", "{}")


@announce.command("begin")
def begin_announcement(
    kind: Annotated[Literal["outage", "maintenance"], typer.Argument()],
    title_en: Annotated[str, typer.Option()],
    title_ja: Annotated[str, typer.Option()],
    en: English,
    ja: Japanese,
    services: Annotated[str, typer.Option(help="internet, sim, vpn, billing, portal; comma separated")] = "",
    areas: Annotated[str, typer.Option(help="Prefectures, such as Tokyo,Chiba or 東京都")] = "",
    begins: Annotated[str, typer.Option("--from", help="Its begin; now where it is left out")] = "",
    until: Until = "",
    yes: Yes = False,
) -> None:
    """Announce an outage or maintenance, in both languages."""
    given = {
        "kind": kind, "title_en": title_en, "title_ja": title_ja, "en": en, "ja": ja, "services": services,
        "areas": areas, "begins": begins, "until": until,
    }  # fmt: skip
    _become("portal_app.jobs.admin.announce", "begin", json.dumps(given), *(["--yes"] if yes else []))


@announce.command("update")
def update_announcement(announcement: str, en: English, ja: Japanese, until: Until = "", yes: Yes = False) -> None:
    """Add what is new to an announcement."""
    given = {"id": announcement, "en": en, "ja": ja, "until": until}
    _become("portal_app.jobs.admin.announce", "update", json.dumps(given), *(["--yes"] if yes else []))


@announce.command("end")
def end_announcement(announcement: str, en: English = "", ja: Japanese = "", yes: Yes = False) -> None:
    """Say that it is over; customers who asked for it are told by mail."""
    given = {"id": announcement, "en": en, "ja": ja}
    _become("portal_app.jobs.admin.announce", "end", json.dumps(given), *(["--yes"] if yes else []))


@app.command("help-counts")
def help_counts(days: Annotated[int, typer.Option(min=1, max=400)] = 30) -> None:
    """Show how often help articles answered a question, and words that found nothing."""
    _become("portal_app.jobs.admin.help_counts", str(days))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def sandbox(context: typer.Context) -> None:
    """Run the sandbox vendors: `serve`, or `env` for the settings that reach them."""
    _become("sandbox.main", *context.args)


@app.command()
def clock(shift: Shift = "", home: Home = Path(".portal")) -> None:
    """Show the clock of the demo, or move it: sandbox and portal together. Month ends and locks can be played."""
    os.environ["SANDBOX_HOME"] = str(home / "sandbox")
    _become("sandbox.main", "clock", *(["--shift", shift] if shift else []))


@app.command()
def demo(home: Home = Path(".portal"), port: Port = 3000) -> None:
    """Run everything on this machine: servers, sandbox vendors, portal. Ctrl-C stops it."""
    _run(World(home, port=port))


@app.command()
def dev(home: Home = Path(".portal"), port: Port = 3000) -> None:
    """Run everything, and reload pages when their source changes."""
    _run(World(home, port=port, reloads=True))


def _become(module: str, *arguments: str) -> None:
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606


def _run(world: World) -> None:
    try:
        code = world.run()
    except LocalError as error:
        typer.echo(str(error), err=True)
        code = 1
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
