"""Switches between light and dark; the system decides until the customer does."""

import reflex as rx

from portal_app.components.icon import icon
from portal_app.language import _

# For public pages, which carry no framework: the same switch and the same stored choice in a line of script.
THEME_SCRIPT = (
    "document.addEventListener('click',e=>{if(!e.target.closest('[data-theme-toggle]'))return;"
    "const r=document.documentElement,d=!r.classList.contains('dark');r.classList.toggle('dark',d);"
    "r.classList.toggle('light',!d);r.style.colorScheme=d?'dark':'light';localStorage.setItem('theme',d?'dark':'light')})"
)


def theme_toggle() -> rx.Component:
    """Offer the other scheme. Public pages put THEME_SCRIPT at their end instead of the framework."""
    return rx.el.button(
        icon("contrast"),
        type="button",
        on_click=rx.toggle_color_mode,
        aria_label=_("Switch between light and dark"),
        custom_attrs={"data-theme-toggle": ""},
        class_name="grid size-11 place-items-center rounded text-quiet hover:bg-sunken hover:text-ink",
    )
