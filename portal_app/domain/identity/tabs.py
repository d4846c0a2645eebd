"""Why a page gets no live connection: what its socket is told, and its page explains."""

TABS_OF_ACCOUNT = "too_many_tabs_of_account"
TABS_OF_NETWORK = "too_many_tabs_of_network"
