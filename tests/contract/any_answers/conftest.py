"""Fixtures of these tests."""

from tests.support.running.vendor_servers import redis, redis_url, sandbox

__all__ = ["redis", "redis_url", "sandbox"]
