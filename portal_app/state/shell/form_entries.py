"""What a form of a page sent: checked before use, because nothing else does."""

from portal_app.domain.errors import InvalidInput

_LONGEST = 1000


def typed(form: object, *names: str) -> dict[str, str]:
    """Return the named texts of a form, empty where they are missing; a ticked box is "on".

    Raises InvalidInput for what no page sends.
    """
    if not isinstance(form, dict):
        raise InvalidInput({"form": "Check this."})
    # The framework sends a box as yes or no, the browser as its value or not at all.
    boxes = {True: "on", False: ""}
    entries = {name: form.get(name, "") for name in names}
    entries |= {name: boxes[value] for name, value in entries.items() if isinstance(value, bool)}
    wrong = {name: "Check this." for name, value in entries.items() if not isinstance(value, str)}
    wrong |= {name: "This is too long." for name, value in entries.items() if len(str(value)) > _LONGEST}
    if wrong:
        raise InvalidInput(wrong)
    return entries
