"""Sign-up at the service, up to the proven mailbox."""

from portal_app.domain.identity.account import Origin
from portal_app.services.registration.sign_up import SignUps
from tests.support.values.people import ADDRESS, PERSON
from tests.support.values.written import Written

PASSWORD = "correct horse battery"


FORM = {**ADDRESS, **PERSON, "password": PASSWORD, "terms": "on"}


async def code_of(written: Written, email: str) -> str:
    return next(content["code"] for occasion, content in await written.mails(email) if occasion == "sign_up_code")


async def proven(sign_ups: SignUps, written: Written, email: str, origin: Origin) -> str:
    token = await sign_ups.begin(email, origin)
    await sign_ups.verify_mailbox(token, await code_of(written, email))
    return token
