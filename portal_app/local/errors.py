"""What can go wrong when a program of this folder starts."""


class LocalError(RuntimeError):
    """Say in one sentence, fit for a terminal, why something did not start and what to do."""


class HomeInUse(LocalError):
    """Another running program holds this folder."""
