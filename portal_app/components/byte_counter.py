"""In how many parts a text is sent, counted in the page itself as it is typed: in bytes, as the vendor counts."""

import reflex as rx

_COUNT = """((id) => {
  const place = document.getElementById(id), form = place?.closest('form');
  if (!form) return;
  const { most, part } = place.dataset, bytes = new TextEncoder();
  const number = (value) => value.toLocaleString(document.documentElement.lang || undefined);
  const show = () => {
    const size = bytes.encode(form.elements[place.dataset.counts].value.replace(/\\r\\n?/g, '\\n')).length;
    const words = size > most ? place.dataset.over : size > part ? place.dataset.parts : '';
    const text = words.replace('{count}', number(Math.ceil(size / part)));
    if (place.textContent !== text) place.textContent = text;
    place.dataset.tone = size > most ? 'problem' : 'info';
  };
  form.addEventListener('input', show);
  // A box that was emptied or filled by the page is a new element, and tells no input.
  new MutationObserver((seen) => {
    const field = form.elements[place.dataset.counts];
    if (seen.some(({ addedNodes }) => [...addedNodes].some((node) => node === field || node.contains(field)))) show();
  }).observe(form, { childList: true, subtree: true });
  show();
})"""


def byte_counter(*, id: str, counts: str, part: int, most: int, parts: str, over: str) -> rx.Component:
    """Say that the text in the form's field with the name `counts` is sent in several parts, or is too long.

    `parts` are the words for several parts, naming their {count}, `over` those for more than `most` bytes.
    """
    data = {"data-counts": counts, "data-part": str(part), "data-most": str(most)}
    words = {"data-parts": parts, "data-over": over}
    return rx.el.p(
        id=id,
        aria_live="polite",
        custom_attrs={**data, **words},
        on_mount=rx.call_function(rx.Var(f"(() => {_COUNT}('{id}'))")),
        class_name="text-small tabular-nums text-quiet empty:hidden data-[tone=problem]:text-problem",
    )
