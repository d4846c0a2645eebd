"""Help: articles, and the search in them."""
