"""Public pages carry no framework: their scripts are taken out after the build, before compression."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import reflex as rx
from reflex_base.plugins.base import Plugin

from portal_app.components.theme_toggle import THEME_SCRIPT

_MARK, _FRESH_MARK = "data-static-page", "data-stays-fresh"
# A page that is left open shows what is new, without the framework's socket; nothing is taken from under the keyboard.
FRESH_SCRIPT = (
    "setInterval(async()=>{if(document.hidden)return;"
    "const a=await fetch(location.href).catch(()=>0);if(!a||!a.ok)return;"
    "const n=new DOMParser().parseFromString(await a.text(),'text/html').querySelector('main'),"
    "m=document.querySelector('main');if(n&&m&&n.innerHTML!==m.innerHTML&&!m.contains(document.activeElement))"
    "m.replaceWith(n)},15000)"
)
_PRELOAD = re.compile(r'<link rel="modulepreload"[^>]*>')
_MODULES = re.compile(r'<script(?=[^>]*(?:type="module"|async))[^>]*>.*?</script>', re.S)
_ROUTER = re.compile(
    r"<script>(?:(?!</script>).)*?(?:__reactRouter|\$RC|\$RT|requestAnimationFrame)(?:(?!</script>).)*?</script>", re.S
)


def static_page(*children: rx.Component, stays_fresh: bool = False) -> rx.Component:
    """Mark a page as one that needs no state and no events, only links and native forms.

    With `stays_fresh` an open one asks for itself again every 15 seconds and shows what differs.
    """
    return rx.el.div(*children, custom_attrs={_MARK: "", **({_FRESH_MARK: ""} if stays_fresh else {})})


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
            scripts = [THEME_SCRIPT, *([FRESH_SCRIPT] if _FRESH_MARK in html else [])]
            own = "".join(f"<script>{script}</script>" for script in scripts)
            path.write_text(html.replace("</body>", f"{own}</body>"))
