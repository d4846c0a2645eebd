"""How calls and SMS are shown."""
