"""Every way the portal says no, in one small tree.

PortalError
├── InvalidInput          422  something the customer typed; says which fields
│   └── KeyReused         422  an idempotency key that was sent with something else before
├── NotSignedIn           401
├── NotAllowed            403
│   └── StepUpNeeded      403  this session must prove anew who it is
├── NotFound              404  also for what belongs to somebody else
├── Conflict              409
│   └── StillRunning      409  the same call, with the same key, has not ended yet
├── AccountNotReady       409  signed up, but not yet set up at the systems of record
├── OrderStopped          409  an order lacks something that people must mend; for the agent
├── LineLocked            409  a phone line is still being changed; says when it can be changed again
├── RateLimited           429  says when to try again
└── ExternalError
    ├── ExternalRejected     502  the vendor understood and refused
    ├── ExternalUnavailable  503  the vendor did not answer, or not sensibly; nothing was written
    └── OutcomeUnknown       504  a write whose answer was lost: look it up, never repeat it blindly
"""

from collections.abc import Mapping

from portal_app.language.format import Duration
from portal_app.language.phrase import Phrase

_LOCKED_LINE = "This line is still being changed. You can change it again in {wait} at the latest."


class PortalError(Exception):
    """The root. `user_message` is fit for a customer; the exception's own text is for the log."""

    code = "error"
    status = 500
    retryable = False
    user_message = "Something went wrong on our side. Try again in a moment."

    def __init__(self, detail: str = "", *, user_message: str | None = None, code: str | None = None) -> None:
        super().__init__(detail or user_message or self.user_message)
        if user_message is not None:
            self.user_message = user_message
        if code is not None:
            self.code = code


class InvalidInput(PortalError):
    """Something typed is missing or malformed; `fields` maps the field's name to what to do about it."""

    code = "invalid_input"
    status = 422
    user_message = "Check the marked fields."

    def __init__(self, fields: Mapping[str, str], *, user_message: str | None = None) -> None:
        super().__init__(f"invalid: {', '.join(fields)}", user_message=user_message)
        self.fields = dict(fields)


class KeyReused(InvalidInput):
    """An idempotency key that was sent with something else before."""

    code = "idempotency_key_reused"
    user_message = "This was sent before with something else in it. Look at the page again, then try once more."


class NotSignedIn(PortalError):
    """Nobody is signed in, or the session has ended."""

    code = "not_signed_in"
    status = 401
    user_message = "Sign in to continue."


class NotAllowed(PortalError):
    """Signed in, but this is not for this customer or not now."""

    code = "not_allowed"
    status = 403
    user_message = "This is not available for your account."


class StepUpNeeded(NotAllowed):
    """Signed in, but the last proof is too old for this: ask for password or second factor, then try again."""

    code = "step_up_needed"
    user_message = "Confirm that it is you to go on."


class NotFound(PortalError):
    """It does not exist, or it belongs to somebody else."""

    code = "not_found"
    status = 404
    user_message = "We could not find that."


class Conflict(PortalError):
    """It contradicts what is already there or under way."""

    code = "conflict"
    status = 409
    user_message = "This was already done or is under way."


class StillRunning(Conflict):
    """The same call, with the same key, has not ended yet: ask again in a moment."""

    code = "still_running"
    retryable = True
    user_message = "This is still being done. Look again in a moment."


class OfferChanged(Conflict):
    """What would be ordered costs something else than what the customer agreed to."""

    code = "offer_changed"
    user_message = "What this costs changed since you opened the page, and nothing was ordered. Look at it once more."


class OrderStopped(Conflict):
    """An order cannot go on until people mend something; code and text are for the agent, without personal data."""

    code = "order_stopped"


class LineLocked(Conflict):
    """A phone line is still being changed; `retry_after` is in seconds, at most that long."""

    code = "line_locked"
    retryable = True
    user_message = "This line is still being changed. Try again later."

    def __init__(self, retry_after: int) -> None:
        words = Phrase(_LOCKED_LINE, wait=Duration(retry_after, rounds_up=True))
        super().__init__(f"line locked for {retry_after} s", user_message=words)
        self.retry_after = retry_after


class AccountNotReady(PortalError):
    """The account exists but is still being set up at WHMCS and Salesforce; `needs_words` when it takes long."""

    needs_words = False

    code = "account_not_ready"
    status = 409
    retryable = True
    user_message = "Your account is still being set up. This usually takes less than a minute."


class AccountWaits(AccountNotReady):
    """A system of record is away: the set-up goes on by itself when it is back."""

    needs_words = True
    user_message = (
        "One of our systems is not answering at the moment. What you entered is saved; we finish by ourselves and "
        "write to you."
    )


class AccountFailed(AccountNotReady):
    """The set-up was refused; people look into it."""

    retryable = False
    needs_words = True
    user_message = "We could not finish setting up your account. Our team has been told and will write to you."


class RateLimited(PortalError):
    """Too many tries; `retry_after` is in seconds."""

    code = "rate_limited"
    status = 429
    retryable = True
    user_message = "Too many tries. Wait a moment and try again."

    def __init__(self, retry_after: int, *, user_message: str | None = None) -> None:
        super().__init__(f"retry after {retry_after} s", user_message=user_message)
        self.retry_after = retry_after


class ExternalError(PortalError):
    """A system of record did not do what was asked. `request_id` is the vendor's, where it gave one."""

    vendor = ""

    def __init__(
        self, detail: str = "", *, vendor: str = "", request_id: str = "", user_message: str | None = None
    ) -> None:
        super().__init__(detail, user_message=user_message)
        self.vendor = vendor or self.vendor
        self.request_id = request_id


class ExternalRejected(ExternalError):
    """The vendor understood and refused; repeating it changes nothing."""

    code = "external_rejected"
    status = 502
    user_message = "This could not be done. Our team can help you with it."


class ExternalUnavailable(ExternalError):
    """The vendor is away, and nothing was written; `retry_after` (seconds) where it is known."""

    code = "external_unavailable"
    status = 503
    retryable = True
    user_message = "One of our systems is not answering at the moment. Try again in a few minutes."
    retry_after: int = 30


class OutcomeUnknown(ExternalError):
    """A write was sent and its answer lost. Look it up by its reference before any second call."""

    code = "outcome_unknown"
    status = 504
    user_message = "We are checking whether this went through. You do not need to do it again."
