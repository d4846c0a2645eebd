"""Help articles: Markdown files in both languages, rendered once per process."""
