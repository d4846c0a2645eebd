"""Announcements of operators and the state of the portal's parts."""
