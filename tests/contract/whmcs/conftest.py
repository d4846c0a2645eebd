"""Fixtures of these tests."""

from tests.contract.lanes.servers import redis, redis_url, sandbox

__all__ = ["redis", "redis_url", "sandbox"]
