"""What is checked before an order is placed, and its draft."""
