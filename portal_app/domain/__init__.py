"""What things are: plain Python that parses or raises."""
