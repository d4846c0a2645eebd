"""Help beside what somebody writes."""
