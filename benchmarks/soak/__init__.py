"""Long runs under trouble: many orders while processes die, and a whole day of hooks that come late, twice or never."""
