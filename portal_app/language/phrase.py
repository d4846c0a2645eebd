"""Texts with placeholders: the template is translated first, then filled in."""


class Phrase(str):
    """An English text made from a template; `_()` translates the template and fills in the values."""

    __slots__ = ("template", "values")
    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> "Phrase":
        """Return the English text, with template and values kept for `_()`."""
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made
