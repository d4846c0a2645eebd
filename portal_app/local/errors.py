"""Errors when a local program starts."""


class LocalError(RuntimeError):
    """A program did not start; the text is a message for the terminal with the reason and what to do."""


class HomeInUse(LocalError):
    """Another process uses this home folder."""
