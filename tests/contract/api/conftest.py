"""Fixtures of these tests: the portal of the web process, and visitors."""

from tests.support.running.portal_fixtures import aiko, ben, hana, portal, visitor, web_side, worker

__all__ = ["aiko", "ben", "hana", "portal", "visitor", "web_side", "worker"]
