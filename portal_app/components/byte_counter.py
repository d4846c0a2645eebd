"""How much room a text has left, counted in the page itself as it is typed: in bytes, as the vendor counts."""

import reflex as rx

_COUNT = """((id) => {
  const place = document.getElementById(id), form = place?.closest('form');
  if (!form) return;
  const { most, part } = place.dataset, bytes = new TextEncoder();
  const number = (value) => value.toLocaleString(document.documentElement.lang || undefined);
  const show = () => {
    const size = bytes.encode(form.elements[place.dataset.counts].value.replace(/\\r\\n?/g, '\\n')).length;
    const [words, values] = size > most ? [place.dataset.over, { count: size - most }]
      : size > part ? [place.dataset.parts, { count: Math.ceil(size / part) }]
      : size > part * 3 / 4 ? [place.dataset.left, { count: part - size }] : ['', {}];
    const text = words.replace('{count}', number(values.count ?? 0));
    if (place.textContent !== text) place.textContent = text;
    place.dataset.tone = size > most ? 'problem' : 'info';
  };
  form.addEventListener('input', show);
  show();
})"""


def byte_counter(*, id: str, counts: str, part: int, most: int, left: str, parts: str, over: str) -> rx.Component:
    """Say how much room is left in the form's field with the name `counts`, from three quarters of a part on.

    `left`, `parts` and `over` are the words for bytes left in a part, for several parts, and for more than `most`; each
    names {count}.
    """
    data = {"data-counts": counts, "data-part": str(part), "data-most": str(most)}
    words = {"data-left": left, "data-parts": parts, "data-over": over}
    return rx.el.p(
        id=id,
        aria_live="polite",
        custom_attrs={**data, **words},
        on_mount=rx.call_function(rx.Var(f"(() => {_COUNT}('{id}'))")),
        class_name="text-small tabular-nums text-quiet empty:hidden data-[tone=problem]:text-problem",
    )
