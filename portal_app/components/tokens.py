"""The names of the design tokens for Tailwind; their light and dark values live in assets/portal.css."""

from typing import Any

_COLOURS = (
    "paper", "surface", "sunken", "ink", "quiet", "line", "control", "accent", "accent-strong", "on-accent",
    "accent-soft", "ok", "waiting", "attention", "problem",
)  # fmt: skip

# system-ui comes last: on a Japanese Windows it is a face with poor Latin letters.
_SANS = (
    '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Hiragino Sans", "Noto Sans JP", '
    '"Noto Sans CJK JP", "Yu Gothic UI", Meiryo, system-ui, sans-serif'
)

# Everything a page may use: other colours, sizes, radii and shadows of Tailwind do not exist here.
TAILWIND: dict[str, Any] = {
    "darkMode": "class",
    "content": [
        "./app/**/*.{js,jsx}",
        "./utils/**/*.{js,jsx}",
        "./app_components/**/*.{js,jsx}",
        "./components/**/*.{js,jsx}",
    ],
    "theme": {
        "colors": {
            "transparent": "transparent",
            "current": "currentColor",
            **{name: f"var(--{name})" for name in _COLOURS},
        },
        "fontFamily": {"sans": _SANS, "mono": 'ui-monospace, "SF Mono", Menlo, Consolas, monospace'},
        "fontSize": {
            "note": ["0.75rem", "1.125rem"],
            "small": ["0.875rem", "1.375rem"],
            "body": ["1rem", "1.5rem"],
            "lead": ["1.25rem", "1.75rem"],
            "title": ["1.75rem", "2.125rem"],
            "figure": ["2.5rem", "2.75rem"],
        },
        "borderRadius": {"none": "0", "DEFAULT": "0.5rem", "full": "9999px"},
        "boxShadow": {"none": "none", "DEFAULT": "var(--shadow)"},
    },
}
