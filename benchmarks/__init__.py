"""How fast and how big the portal is, each figure against a peer or limit measured in the same run."""
