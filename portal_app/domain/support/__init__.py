"""Support: cases, their messages, and the rules of the conversation."""
