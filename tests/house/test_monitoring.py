"""The alert rules name figures and jobs that exist, and each has its paragraph for operators."""

import re
import subprocess
from collections import Counter
from typing import Any

import pytest
import yaml

from portal_app.infra.settings import Settings
from portal_app.jobs.schedule import SCHEDULE
from tests.house.test_operations import figures
from tests.support.foreign_programs import need
from tests.support.sources import ROOT

MONITORING = ROOT / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((MONITORING / "portal.rules.yml").read_text())["groups"][0]["rules"]
PAGE = (ROOT / "docs" / "operations.md").read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
# What Prometheus makes of one figure.
SUFFIXES = ("_total", "_bucket", "_sum", "_count", "")


def test_every_rule_names_figures_that_exist() -> None:
    known = {f"{name}{suffix}" for name in figures() for suffix in SUFFIXES}
    named = {name for rule in RULES for name in re.findall(r"portal_\w+", rule["expr"])}
    assert len(named) >= 12 and named - known == set()


def test_every_alert_has_its_paragraph_and_every_paragraph_its_alert() -> None:
    paragraphs = dict(re.findall(r"^### (\w+)\n\n(.+?)(?=\n\n)", PAGE + "\n\n", re.M | re.S))
    assert set(paragraphs) == {rule["alert"] for rule in RULES}
    assert all(len(text) > 80 for text in paragraphs.values())
    links = {rule["alert"]: rule["annotations"]["runbook"] for rule in RULES}
    assert links == {name: f"docs/operations.md#{name.lower()}" for name in paragraphs}
    assert {rule["labels"]["severity"] for rule in RULES} == {"page", "ticket"}


def test_every_job_of_the_schedule_is_watched_by_one_rule() -> None:
    late = [
        re.findall(r'job=~?"([^"]+)"', rule["expr"])[0].split("|") for rule in RULES if rule["alert"] == "PortalJobLate"
    ]
    assert Counter(job for jobs in late for job in jobs) == Counter(job.workflow for job in SCHEDULE)


def test_the_ports_of_figures_are_the_settings_defaults() -> None:
    configured = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
    ports = {job["job_name"]: int(job["static_configs"][0]["targets"][0].rpartition(":")[2]) for job in configured}
    names = {"portal-web": "portal", "portal-worker": "portal_worker", "portal-listener": "portal_listener"}
    fields = Settings.model_fields
    assert ports == {name: fields[f"{prefix}_metrics_port"].default for name, prefix in names.items()}


@pytest.mark.parametrize(("action", "file"), [("rules", "portal.rules.yml"), ("config", "prometheus.yml")])
def test_promtool_accepts_the_file(action: str, file: str) -> None:
    promtool = need("promtool", get="apt-get install prometheus")
    subprocess.run([promtool, "check", action, MONITORING / file], check=True, capture_output=True)
