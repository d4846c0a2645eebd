"""Reading vendors: how young saved data must be, and readings that are shared."""
