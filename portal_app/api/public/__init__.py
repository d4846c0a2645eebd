"""Documents that need no session: built pages, public pages, the unavailable page."""
