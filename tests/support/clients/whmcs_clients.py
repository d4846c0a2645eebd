"""The billing system as its staff uses it: clients and users of one test, and their Salesforce accounts."""

from typing import Any
from uuid import uuid4

import httpx

from portal_app.integrations.whmcs.encoding import php_packed
from tests.support.running.world import world

OLD_PASSWORD = "the old billing one"


async def whmcs(action: str, **fields: Any) -> dict[str, Any]:
    """Call one action of the sandbox's WHMCS."""
    own = world().settings
    form = {"action": action, "identifier": own.whmcs_api_identifier, "responsetype": "json", **fields}
    form["secret"] = own.whmcs_api_secret.get_secret_value()
    async with httpx.AsyncClient() as http:
        answer = (await http.post(own.whmcs_api_url, data=form)).json()
    assert answer["result"] == "success", answer
    return dict(answer)


async def new_client(email: str = "", *, number: str = "", owner: int = 0) -> tuple[str, int]:
    """Make a client, owned by a new user unless one is given; return its address and id."""
    email = email or f"{uuid4().hex}@example.jp"
    person = {"firstname": "Chiyo", "lastname": "Ito", "email": email, "address1": "1-1 Shiba", "city": "Minato-ku"}
    place = {"state": "Tokyo", "postcode": "105-0011", "country": "JP", "phonenumber": "0312345678"}
    login = {"owner_user_id": owner} if owner else {"password2": OLD_PASSWORD}
    made = await whmcs("AddClient", **person, **place, **login, customfields=php_packed({198: number}))
    return email, int(made["clientid"])
