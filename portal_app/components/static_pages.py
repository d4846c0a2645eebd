"""Public pages carry no framework: their scripts are taken out after the build, before compression."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import reflex as rx
from reflex_base.plugins.base import Plugin

from portal_app.components.theme_toggle import THEME_SCRIPT

_MARK = "data-static-page"
_PRELOAD = re.compile(r'<link rel="modulepreload"[^>]*>')
_MODULES = re.compile(r'<script(?=[^>]*(?:type="module"|async))[^>]*>.*?</script>', re.S)
_ROUTER = re.compile(
    r"<script>(?:(?!</script>).)*?(?:__reactRouter|\$RC|\$RT|requestAnimationFrame)(?:(?!</script>).)*?</script>", re.S
)


def static_page(*children: rx.Component) -> rx.Component:
    """Mark a page as one that needs no state and no events, only links and native forms."""
    return rx.el.div(*children, custom_attrs={_MARK: ""})


@dataclasses.dataclass
class StaticPagesPlugin(Plugin):
    """Strip every built page that is marked static, and give it the theme switch instead."""

    def post_build(self, **context: Any) -> None:
        """Rewrite the built HTML files. Raises RuntimeError where a script of the framework is left."""
        for path in Path(context["static_dir"]).rglob("*.html"):
            html = path.read_text()
            if _MARK not in html:
                continue
            for pattern in (_PRELOAD, _MODULES, _ROUTER):
                html = pattern.sub("", html)
            if "modulepreload" in html or 'type="module"' in html:
                raise RuntimeError(f"{path.name} still loads the framework: the build's output has changed")
            path.write_text(html.replace("</body>", f"<script>{THEME_SCRIPT}</script></body>"))
