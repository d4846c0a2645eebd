"""What is announced, for the customers whom it concerns."""
