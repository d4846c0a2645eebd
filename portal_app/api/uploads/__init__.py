"""Routes of files that customers send."""
