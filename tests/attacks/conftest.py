"""Fixtures of these tests: the same visitors as the API's."""

from tests.contract.api.conftest import aiko, ben, hana, portal, visitor, web_side, worker

__all__ = ["aiko", "ben", "hana", "portal", "visitor", "web_side", "worker"]
