"""What pages show of calls and SMS."""
