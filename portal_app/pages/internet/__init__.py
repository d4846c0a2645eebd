"""Pages of internet plans, the address check and their steps of an order."""
