"""The error hierarchy of the portal. API and pages derive status, code and customer message from it.

PortalError
├── InvalidInput          422  something the customer typed; says which fields
│   └── KeyReused         422  an idempotency key that was used with another request before
├── NotSignedIn           401
├── NotAllowed            403
│   └── StepUpNeeded      403  the session needs a recent proof of identity
├── NotFound              404  also for a resource of another customer
├── Conflict              409
│   ├── StillRunning      409  the call with this idempotency key has not ended yet
│   └── SecretsFound      409  a text for support seems to hold secrets; it can be confirmed
├── AccountNotReady       409  signed up, but not yet set up at WHMCS and Salesforce
├── OrderStopped          409  an order needs a correction by an agent
├── LineLocked            409  a phone line is still being changed; `retry_after` in seconds
├── RateLimited           429  `retry_after` in seconds
├── Overloaded            503  more work than this process can do; `retry_after` in seconds
└── ExternalError
    ├── ExternalRejected     502  the vendor rejected the call
    │   └── StorageFull      502  the vendor has no room for a file until its operators make some
    ├── ExternalUnavailable  503  no answer, or an invalid one; nothing was written
    │   └── Unreadable       502  the vendor answers, and what it says of one thing cannot be read
    └── OutcomeUnknown       504  the answer to a write was lost: look the effect up before repeating the write
"""

from collections.abc import Collection, Mapping

from portal_app.language.format import Duration
from portal_app.language.phrase import Phrase

_OVERLOADED = "Many people are signing in at this moment, so your password was not checked. Try again in {wait}."
_LOCKED_LINE = "This line is still being changed. You can change it again in {wait}."
_LOCKED_AT_MOST = "This line is still being changed. You can change it again in {wait} at the latest."


class PortalError(Exception):
    """The root. `user_message` is shown to customers; the text of the exception is for the log only."""

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
    """A field is missing or malformed; `fields` maps field names to messages for the customer."""

    code = "invalid_input"
    status = 422
    user_message = "Check the marked fields."

    def __init__(self, fields: Mapping[str, str], *, user_message: str | None = None) -> None:
        super().__init__(f"invalid: {', '.join(fields)}", user_message=user_message)
        self.fields = dict(fields)


class KeyReused(InvalidInput):
    """The idempotency key was used with another request before."""

    code = "idempotency_key_reused"
    user_message = "This was sent before with something else in it. Look at the page again, then try once more."


class NotSignedIn(PortalError):
    """There is no session, or it has ended."""

    code = "not_signed_in"
    status = 401
    user_message = "Sign in to continue."


class NotAllowed(PortalError):
    """The customer is signed in but may not do this, or not now."""

    code = "not_allowed"
    status = 403
    user_message = "This is not available for your account."


class StepUpNeeded(NotAllowed):
    """The last proof of identity is too old: ask for the password or a second factor, then repeat the call."""

    code = "step_up_needed"
    user_message = "Confirm that it is you to go on."


class NotFound(PortalError):
    """The resource does not exist, or belongs to another customer."""

    code = "not_found"
    status = 404
    user_message = "We could not find that."


class Conflict(PortalError):
    """The call contradicts the current state."""

    code = "conflict"
    status = 409
    user_message = "This was already done or is under way."


class StillRunning(Conflict):
    """The call with this idempotency key has not ended yet; repeat it later."""

    code = "still_running"
    retryable = True
    user_message = "This is still being done. Look again in a moment."


class OfferChanged(Conflict):
    """The order would cost more or less than the customer agreed to."""

    code = "offer_changed"
    user_message = "What this costs changed since you opened the page, and nothing was ordered. Look at it once more."


class OrderStopped(Conflict):
    """An order waits for a correction by an agent; code and text are for agents and hold no personal data."""

    code = "order_stopped"


class LineLocked(Conflict):
    """A phone line is still being changed; `retry_after` is the longest possible wait in seconds.

    `is_at_most`: the carrier told of the lock and not since when, so the wait may be shorter.
    """

    code = "line_locked"
    retryable = True

    def __init__(self, retry_after: int, *, is_at_most: bool = False) -> None:
        text = _LOCKED_AT_MOST if is_at_most else _LOCKED_LINE
        words = Phrase(text, wait=Duration(retry_after, rounds_up=True))
        super().__init__(f"line locked for {retry_after} s", user_message=words)
        self.retry_after = retry_after
        self.is_at_most = is_at_most


class SecretsFound(Conflict):
    """A text for support seems to hold secrets; `kinds` names them. It can be sent all the same."""

    code = "secrets_found"
    user_message = "This text seems to hold a card number, password, PIN or EID, which nobody here needs. Take it out."

    def __init__(self, kinds: Collection[str]) -> None:
        super().__init__(f"secrets: {', '.join(sorted(kinds))}")
        self.kinds = tuple(sorted(kinds))


class AccountNotReady(PortalError):
    """The account is still being set up at WHMCS and Salesforce.

    `needs_words` tells pages to show the message instead of only a loading state.
    """

    needs_words = False

    code = "account_not_ready"
    status = 409
    retryable = True
    user_message = "Your account is still being set up. This usually takes less than a minute."


class AccountWaits(AccountNotReady):
    """The set-up waits for a vendor that is unavailable and continues by itself."""

    needs_words = True
    user_message = (
        "One of our systems is not answering at the moment. What you entered is saved; we finish by ourselves and "
        "write to you."
    )


class AccountFailed(AccountNotReady):
    """A vendor rejected the set-up; staff must act."""

    retryable = False
    needs_words = True
    user_message = "We could not finish setting up your account. Our team has been told and will write to you."


class RateLimited(PortalError):
    """Too many attempts; `retry_after` is in seconds."""

    code = "rate_limited"
    status = 429
    retryable = True
    user_message = "Too many tries. Wait a moment and try again."

    def __init__(self, retry_after: int, *, user_message: str | None = None) -> None:
        super().__init__(f"retry after {retry_after} s", user_message=user_message)
        self.retry_after = retry_after


class Overloaded(PortalError):
    """More passwords are to be checked than this process can check; `retry_after` is in seconds."""

    code = "overloaded"
    status = 503
    retryable = True

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail, user_message=Phrase(_OVERLOADED, wait=Duration(retry_after, rounds_up=True)))
        self.retry_after = retry_after


class ExternalError(PortalError):
    """A vendor's call failed. `request_id` is the vendor's id of the call, if it gave one."""

    vendor = ""

    def __init__(
        self, detail: str = "", *, vendor: str = "", request_id: str = "", user_message: str | None = None
    ) -> None:
        super().__init__(detail, user_message=user_message)
        self.vendor = vendor or self.vendor
        self.request_id = request_id


class ExternalRejected(ExternalError):
    """The vendor rejected the call; repeating it gives the same result."""

    code = "external_rejected"
    status = 502
    user_message = "This could not be done. Our team can help you with it."


class StorageFull(ExternalRejected):
    """The vendor has no room for a file; once its operators have made some, the same call may succeed."""

    code = "storage_full"


class ExternalUnavailable(ExternalError):
    """The vendor is unavailable and nothing was written; `retry_after` is in seconds."""

    code = "external_unavailable"
    status = 503
    retryable = True
    user_message = "One of our systems is not answering at the moment. Try again in a few minutes."
    retry_after: int = 30


class Unreadable(ExternalUnavailable):
    """The vendor answers, but what it says of this one thing cannot be read: trying again does not help."""

    code = "external_unreadable"
    status = 502
    retryable = False
    user_message = "This cannot be shown at the moment. Our team has been told."
    retry_after: int | None = None  # type: ignore[assignment]


class OutcomeUnknown(ExternalError):
    """A write was sent and its answer was lost. Look the effect up by its reference before repeating the write."""

    code = "outcome_unknown"
    status = 504
    user_message = "We are checking whether this went through. You do not need to do it again."
