"""Two customers of sandbox/world.toml, as tests expect to find them."""

AIKO_EMAIL, AIKO_NUMBER, AIKO_CLIENT_ID = "aiko@example.jp", "C00000001", 1
BEN_EMAIL, BEN_NUMBER, BEN_CLIENT_ID = "ben@example.jp", "C00000002", 2
