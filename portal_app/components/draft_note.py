"""Say that what is typed is saved, as long as it is what stands in the fields."""

from collections.abc import Mapping

import reflex as rx

from portal_app.components.condition import Content

_COMPARE = """((id) => {
  const place = document.getElementById(id), form = place?.closest('form');
  if (!form) return;
  const saved = () => [...place.attributes].filter((each) => each.name.startsWith('data-saved-'));
  const show = () => {
    const is = ({ name, value }) => form.elements[name.slice(11)]?.value === value;
    place.hidden = !saved().every(is) || !saved().some(({ value }) => value);
  };
  form.addEventListener('input', show);
  new MutationObserver(show).observe(place, { attributes: true, attributeFilter: saved().map(({ name }) => name) });
  show();
})"""


def draft_note(words: Content, *, id: str, saved: Mapping[str, rx.Var]) -> rx.Component:
    """Show `words` while each field of the form, by its name, holds the text that was `saved` last and one has any."""
    note = rx.el.span(
        words,
        id=id,
        hidden=True,
        custom_attrs={f"data-saved-{name}": text for name, text in saved.items()},
        on_mount=rx.call_function(rx.Var(f"(() => {_COMPARE}('{id}'))")),
    )
    return rx.el.p(note, role="status", class_name="text-small text-quiet empty:hidden")
