"""Status: how the parts of the portal are, and what operators announce."""
