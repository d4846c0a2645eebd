"""Routes of the address check for internet lines."""
