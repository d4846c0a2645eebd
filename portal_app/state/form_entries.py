"""What a form of a page sent: checked before use, because nothing else does."""

from portal_app.domain.errors import InvalidInput

_LONGEST = 1000


def typed(form: object, *names: str) -> dict[str, str]:
    """Return the named texts of a form, empty where they are missing. Raises InvalidInput for what no page sends."""
    if not isinstance(form, dict):
        raise InvalidInput({"form": "Check this."})
    entries = {name: form.get(name, "") for name in names}
    wrong = {name: "Check this." for name, value in entries.items() if not isinstance(value, str)}
    wrong |= {name: "This is too long." for name, value in entries.items() if len(str(value)) > _LONGEST}
    if wrong:
        raise InvalidInput(wrong)
    return entries
