"""Errors when a local program starts."""

import re

PORT_TAKEN = re.compile("address (is )?already in use|could not bind|failed to bind", re.IGNORECASE)


class LocalError(RuntimeError):
    """A program did not start; the text is a message for the terminal with the reason and what to do."""


class HomeInUse(LocalError):
    """Another process uses this home folder."""


class PortTaken(LocalError):
    """Another program took the port between its choice and the start."""


def start_error(message: str, output: str) -> LocalError:
    """Return the error of a program that ended at its start, from what it wrote."""
    kind = PortTaken if PORT_TAKEN.search(output) else LocalError
    return kind(f"{message}:\n{output}")
