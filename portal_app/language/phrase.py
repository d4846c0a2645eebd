"""Sentences with a number or name in them: translated first, filled in afterwards."""


class Phrase(str):
    """A text made from a template; reads as English, and `_()` says it in the spoken language."""

    __slots__ = ("template", "values")

    def __new__(cls, template: str, **values: object) -> "Phrase":
        """Fill the template in for those who read it as it is."""
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made
