"""Durable work: each remote effect a step of its own, resumed wherever a process died.

Steps return what happened as plain JSON instead of raising: after a restart a recorded step is replayed from what it
returned, and a recorded exception would not come back as itself.
"""
