"""Fixtures of these tests: the same visitors as the API's."""

from tests.support.running.portal_fixtures import aiko, ben, hana, portal, visitor, web_side, worker

__all__ = ["aiko", "ben", "hana", "portal", "visitor", "web_side", "worker"]
