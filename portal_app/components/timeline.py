"""A vertical timeline: what was done, what happens now, what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import reflex as rx

from portal_app.components.condition import Text, each, has, when
from portal_app.language import _

StepState = Literal["done", "now", "next", "stuck"]


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One step with plain values. A state's own row class does as well, if it has these five names."""

    state: StepState
    title: str
    at: str = ""
    who: str = ""
    detail: str = ""


def timeline(steps: Sequence[TimelineStep] | rx.Var, *, label: Text) -> rx.Component:
    """Show steps in order. `at` and `who` are formatted texts; the label names the list for screen readers."""
    return rx.el.ol(*each(steps, _step), aria_label=label, class_name="timeline")


def _step(step: Any) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(
                step.title,
                rx.el.span(" (", _state_word(step.state), ")", class_name="sr-only"),
                class_name="timeline-title",
            ),
            rx.el.p(
                rx.el.span(step.at, class_name="tabular-nums"),
                when(has(step.who), rx.el.span(step.who, class_name="timeline-who")),
                class_name="text-small text-quiet",
            ),
            class_name="flex flex-wrap items-baseline justify-between gap-x-4",
        ),
        when(has(step.detail), rx.el.p(step.detail, class_name="mt-1 max-w-prose text-small text-quiet")),
        custom_attrs={"data-state": step.state},
    )


def _state_word(state: Any) -> Any:
    words = {"done": _("done"), "now": _("now"), "next": _("next"), "stuck": _("needs attention")}
    return rx.match(state, *words.items(), "") if isinstance(state, rx.Var) else words[state]
