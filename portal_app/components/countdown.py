"""How long something can still be done: counted down in the page itself, each second."""

import reflex as rx

from portal_app.components.condition import Text

# The parts of the sentence that count; the page's own script fills them in, so nothing has to be asked.
_TICK = """((id) => {
  const place = document.getElementById(id);
  const show = () => {
    if (!place || !place.isConnected) { clearInterval(clock); return; }
    const left = Math.max(0, Math.floor((new Date(place.dataset.until) - Date.now()) / 1000));
    const parts = { days: Math.floor(left / 86400), hours: Math.floor(left / 3600) % 24,
      minutes: Math.floor(left / 60) % 60, seconds: left % 60 };
    const words = left >= 86400 ? place.dataset.days : left >= 3600 ? place.dataset.hours : place.dataset.minutes;
    place.textContent = words.replace(/\\{(\\w+)\\}/g, (_, name) => parts[name]);
  };
  const clock = setInterval(show, 1000);
  show();
})"""


def countdown(*, id: str, until: Text, days: str, hours: str, minutes: str) -> rx.Component:
    """Count down to a moment (ISO, with its zone), in words for what is left.

    The words are for days, hours or minutes left; they name {days}, {hours}, {minutes} and {seconds}.
    """
    return rx.el.span(
        id=id,
        role="timer",
        custom_attrs={"data-until": until, "data-days": days, "data-hours": hours, "data-minutes": minutes},
        on_mount=rx.call_function(rx.Var(f"(() => {_TICK}('{id}'))")),
        class_name="tabular-nums",
    )
