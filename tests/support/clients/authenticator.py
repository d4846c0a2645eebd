"""An authenticator app, and turning two-step sign-in on with it."""

import time
from dataclasses import dataclass, field

import pyotp

from tests.support.clients.visitor import Visitor
from tests.support.running.world import PASSWORD
from tests.support.waiting import until

STEP_SECONDS = 30


@dataclass
class App:
    """An app that knows one key; codes of the last, the present and the next time step are all good, each once."""

    key: str
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, steps: int = 0) -> str:
        """Return the code that is shown this many time steps from now."""
        return pyotp.TOTP(self.key).generate_otp(int(time.time()) // STEP_SECONDS + steps)

    def wrong(self) -> str:
        """Return six digits that no near step shows."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(digits for digits in ("000000", "111111", "222222") if digits not in near)


async def turn_on(somebody: Visitor) -> App:
    """Turn two-step sign-in on; the code of the last step is used for it."""
    await until(_step_lasts, "a time step begins")
    app = App((await somebody.call("POST", "/api/me/two-step")).json()["key"])
    answer = await somebody.call("POST", "/api/me/two-step/confirm", {"code": app.code(-1)})
    app.recovery_codes = answer.json()["recovery_codes"]
    return app


async def _step_lasts() -> bool:
    """Say whether the code of the last step is good for some seconds yet."""
    return STEP_SECONDS - time.time() % STEP_SECONDS > 3


async def password_only(portal_settings, email: str) -> Visitor:
    """Return a browser that has sent the right password and must give a second factor."""
    somebody = Visitor(portal_settings)
    somebody.email = email
    answer = await somebody.submit("/api/auth/login", email=email, password=PASSWORD)
    assert answer.headers["location"].startswith("/auth/second-step")
    assert not somebody.cookie("access") and not somebody.cookie("refresh")
    return somebody
