"""Addresses within the portal that a caller names, to go on to."""


def local_path(text: str | None, default: str) -> str:
    """Return a path of ours to go on to, or the default for anything that could lead elsewhere."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or len(text) > 500:
        return default
    if any(ord(letter) < 32 or letter == "\\" for letter in text) or text.startswith("/api/"):
        return default
    return text


def path_after_sign_in(text: str | None, default: str) -> str:
    """Return where somebody who is signed in goes on to; the pages of signing in lead nowhere."""
    path = local_path(text, default)
    return default if path.removeprefix("/ja").startswith("/auth/") else path
