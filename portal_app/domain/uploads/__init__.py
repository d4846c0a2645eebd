"""Files that customers send: an upload, its name, its kind, and why it is refused."""
