"""The order in which files of tests begin, where several processes share them."""

import pytest

# The longest first: one that begins last keeps a process busy while the others have ended. `make test` prints what
# takes long.
LONG = (
    "test_web_under_load", "test_listener", "test_sim_orders", "test_silent_vendors", "test_kill_sim_orders",
    "test_servers", "test_in_flight", "test_cancellations", "test_order_repair", "test_every_handler",
    "test_any_answers", "test_migrate", "test_embedded_servers", "test_whmcs_hooks", "test_invoice_mirror",
    "test_document_check",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take long before the others, and leave the others in their order."""
    places = {f"{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONG)))
