"""Draws the layers of the import rules: `python docs/layer_diagram.py` rewrites the diagram in architecture.md."""

import configparser
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- layers: begin (made by docs/layer_diagram.py) -->", "<!-- layers: end -->"


def layers() -> list[list[str]]:
    """Return the modules of each layer, the top one first."""
    rows = _contracts()["importlinter:contract:layers"]["layers"].split("\n")
    return [re.findall(r"\(portal_app\.([\w.]+)\)", row) for row in rows if row.strip()]


def rules() -> list[str]:
    """Return the names of all contracts, in the order of the file."""
    contracts = _contracts()
    return [contracts[name]["name"] for name in contracts.sections() if name.startswith("importlinter:contract:")]


def drawn() -> str:
    """Return the diagram (mermaid) and the list of rules as Markdown."""
    lines = ["```mermaid", "flowchart TD"]
    for number, modules in enumerate(layers()):
        lines.append(f"    subgraph L{number}[ ]")
        lines.append("        direction LR")
        lines += [f'        {module.replace(".", "_")}["{module.replace(".", "/")}"]' for module in modules]
        lines.append("    end")
    lines += [f"    L{number} --> L{number + 1}" for number in range(len(layers()) - 1)]
    return "\n".join(
        [*lines, "```", "", "The rules that `lint-imports` checks:", "", *[f"- {rule}" for rule in rules()]]
    )


def with_diagram(page: str) -> str:
    """Return the page with the diagram between its marks replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{drawn()}\n\n{END}{after}"


def _contracts() -> configparser.ConfigParser:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    return contracts


if __name__ == "__main__":
    PAGE.write_text(with_diagram(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is up to date.\n")
