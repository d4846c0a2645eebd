"""Help articles and the contact form."""
