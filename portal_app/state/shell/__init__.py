"""What the state of all pages shares: guard, session, loading, live updates, step-up."""
