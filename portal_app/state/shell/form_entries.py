"""The entries of a form: checked here, because Reflex does not check the arguments of a handler."""

from portal_app.domain.errors import InvalidInput

_LONGEST = 1000


def typed(form: object, *names: str) -> dict[str, str]:
    """Return the named texts of a form, empty where they are missing; a ticked box is "on".

    Raises InvalidInput for entries that no page sends.
    """
    if not isinstance(form, dict):
        raise InvalidInput({"form": "Check this."})
    # Reflex sends a box as a boolean, the browser as its value or not at all.
    boxes = {True: "on", False: ""}
    # A field that the page does not show is sent as null.
    entries = {name: "" if form.get(name) is None else form[name] for name in names}
    entries |= {name: boxes[value] for name, value in entries.items() if isinstance(value, bool)}
    wrong = {name: "Check this." for name, value in entries.items() if not isinstance(value, str)}
    wrong |= {name: "This is too long." for name, value in entries.items() if len(str(value)) > _LONGEST}
    if wrong:
        raise InvalidInput(wrong)
    return entries
