"""Whether an internet line can be had at an address."""
