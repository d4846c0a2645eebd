"""Questions that a handler asks in a dialog."""

from uuid import uuid4


def new_question() -> str:
    """Return the token of a new question, for the `question` of a dialog: never one that was asked before."""
    return uuid4().hex
