"""Events of vendors: the inbox, WHMCS's hooks, and what they change."""
