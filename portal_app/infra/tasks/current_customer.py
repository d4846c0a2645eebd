"""The customer for whom the current task works: a vendor's rate limiter bounds the share of one customer."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_customer: ContextVar[str] = ContextVar("current_customer", default="")


def current_customer() -> str:
    """Return the user id of the customer, empty where the work belongs to no customer."""
    return _customer.get()


def set_current_customer(user_id: str) -> None:
    """Count what the rest of this task does for a customer; an empty id counts for no customer."""
    _customer.set(user_id)


@contextmanager
def working_for(user_id: str) -> Iterator[None]:
    """Count what happens within for a customer; empty for what all customers share."""
    token = _customer.set(user_id)
    try:
        yield
    finally:
        _customer.reset(token)
