"""Help pages, their search, and the contact form."""
