"""Check of WHMCS's API role: it allows every action that the portal calls.

WHMCS tells no credential what its role allows, but checks the role before anything else of a call. So each action is
called with an id that no record has: what is refused for another reason than the role is allowed, and nothing changes.
"""

import asyncio

from portal_app.domain.errors import ExternalError, NotFound, OutcomeUnknown
from portal_app.infra.checks.check import Problem, Unfit
from portal_app.integrations.checks.reach import unreached
from portal_app.integrations.throttling.vendor_call import Misconfigured
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue

# An id that no record has, or a page of one row.
ACTIONS: dict[str, dict[str, FormValue]] = {
    "AcceptOrder": {"orderid": 0},
    "AddCancelRequest": {"serviceid": 0},
    "AddClient": {"email": ""},
    "AddCredit": {"clientid": 0},
    "AddOrder": {"clientid": 0},
    "CancelOrder": {"orderid": 0},
    "CapturePayment": {"invoiceid": 0},
    "CreateInvoice": {"userid": 0},
    "CreateSsoToken": {"client_id": 0},
    "DeletePayMethod": {"clientid": 0, "paymethodid": 0},
    "GetCancelledPackages": {"limitnum": 1},
    "GetClientsDetails": {"clientid": 0},
    "GetClientsProducts": {"clientid": 0, "limitnum": 1},
    "GetCredits": {"clientid": 0},
    "GetCurrencies": {},
    "GetInvoice": {"invoiceid": 0},
    "GetInvoices": {"limitnum": 1},
    "GetOrders": {"limitnum": 1},
    "GetPaymentMethods": {},
    "GetPayMethods": {"clientid": 0},
    "GetProducts": {"pid": 0},
    # Not paged: a filter that finds nothing.
    "GetTransactions": {"transid": "portal-doctor"},
    "GetUsers": {"limitnum": 1},
    "UpdateClient": {"clientid": 0},
    "UpdateClientProduct": {"serviceid": 0},
    "UpdateInvoice": {"invoiceid": 0},
    "UpdatePayMethod": {"clientid": 0, "paymethodid": 0},
    "UpdateUser": {"user_id": 0},
    "ValidateLogin": {"email": "", "password2": ""},
}
_AT_ONCE = 4


async def check_role(client: WHMCSClient) -> str:
    """Raise Unfit for the actions that the role does not allow."""
    gate = asyncio.Semaphore(_AT_ONCE)
    allowed = await asyncio.gather(*(_is_allowed(client, action, gate) for action in ACTIONS))
    if missing := [action for action, is_allowed in zip(ACTIONS, allowed, strict=True) if not is_allowed]:
        wrong = f"WHMCS's API role does not allow {', '.join(missing)}."
        do = (
            "At WHMCS, Configuration > System Settings > API Roles, tick these for the role of the portal's credential."
        )
        raise Unfit(Problem(wrong, do, "WHMCS_API_IDENTIFIER"))
    return f"allows all {len(ACTIONS)} actions"


async def _is_allowed(client: WHMCSClient, action: str, gate: asyncio.Semaphore) -> bool:
    try:
        async with gate:
            await client.call(action, ACTIONS[action], safe=True)
    except (WHMCSRejected, NotFound, OutcomeUnknown):
        return True
    except Misconfigured:
        return False
    except ExternalError as error:
        raise Unfit(unreached("WHMCS", error, setting="WHMCS_API_URL")) from error
    return True
