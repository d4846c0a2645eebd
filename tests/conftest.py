"""How test processes run: which files begin first, and how often Python searches for garbage."""

import gc

import pytest

# As the portal's own processes do. Here, before the tests and all that they need is imported.
gc.set_threshold(50_000, 10, 10)

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


def pytest_collection_finish() -> None:
    """Leave all tests and imported modules out of the searches for garbage."""
    gc.collect()
    gc.freeze()
