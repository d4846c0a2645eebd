"""`portal orders`: what an operator sees and does. Nothing is done before it was shown, and only with --yes."""

import asyncio
import sys
from uuid import UUID

from portal_app.domain.errors import PortalError
from portal_app.domain.identifiers import our_id
from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command
from portal_app.services.operations.order_repair import RepairAction
from portal_app.wiring.portal import Portal, build, set_portal

_NOTHING = {
    "retry": "Nothing to do: it is finished, or an agent has to decide in Salesforce first.",
    "undo": "Nothing to do: only an order that needs attention is undone, and this one does not.",
}
_ROW = "{:<36}  {:<9}  {:<8}  {:<15}  {:<26}  {}"


async def run(settings: Settings, action: str, argument: str, *, is_sure: bool) -> int:
    """Do one action and return the exit code."""
    portal = set_portal(build(settings, role="worker"))
    try:
        if action == "list":
            await _list(portal, unfinished=argument != "all")
        elif action == "show":
            await _show(portal, our_id(argument))
        else:
            await _act(portal, action, our_id(argument), is_sure=is_sure)
    except PortalError as error:
        _say(f"Not possible: {error}")
        return 1
    finally:
        await portal.close()
    return 0


async def _list(portal: Portal, *, unfinished: bool) -> None:
    stuck = {order.id: order for order in await portal.provisioning.stuck.found()}
    orders = await portal.operations.order_repair.overview(unfinished=unfinished)
    if not orders:
        _say("Every order is finished." if unfinished else "There are no orders.")
        return
    _say(_ROW.format("ORDER", "CUSTOMER", "KIND", "STAGE", "LAST STEP", "PLAN"))
    for order, customer_number, last in orders:
        why = f"  STUCK: {stuck[order.id].why}" if order.id in stuck else ""
        _say(_ROW.format(str(order.id), customer_number, order.category, order.stage, last, f"{order.title}{why}"))


async def _show(portal: Portal, order_id: UUID) -> None:
    order, customer, events, review = await portal.operations.order_repair.show(order_id)
    _say(f"Order      {order.id}, attempt {order.attempt}: {order.title}")
    _say(f"Customer   {customer.customer_number}, WHMCS client {customer.whmcs_client_id}")
    _say(f"Stage      {order.stage}")
    _say(f"WHMCS      {order.whmcs_order_id or 'not billed'}")
    told = (
        f"{review.id}: {review.status}, {review.activation_status} {review.error_code}" if review else "not there yet"
    )
    _say(f"Salesforce {told}")
    for event in events:
        _say(f"  {event.at:%Y-%m-%d %H:%M:%S} UTC  {event.source:<7} {event.step}")


async def _act(portal: Portal, action: str, order_id: UUID, *, is_sure: bool) -> None:
    repair = portal.operations.order_repair
    actions = await (repair.retry(order_id) if action == "retry" else repair.undo(order_id))
    if not actions:
        _say(_NOTHING[action])
        return
    for step in actions:
        _say(f"- {step.description}")
        if is_sure:
            await _do(step)
    _say("Done." if is_sure else "Nothing was done. Add --yes to do it.")


async def _do(action: RepairAction) -> None:
    try:
        await action.run()
    except PortalError:
        _say("  This did not work; what stands above it is done. Run the command again for the rest.")
        raise


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    settings = read_settings_of_command()
    set_up_logs(process="orders", log_format=settings.portal_log_format, level="ERROR")
    sys.exit(asyncio.run(run(settings, sys.argv[1], sys.argv[2], is_sure="--yes" in sys.argv[3:])))
