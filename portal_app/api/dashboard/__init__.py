"""Routes of the summary and the calendar feed."""
