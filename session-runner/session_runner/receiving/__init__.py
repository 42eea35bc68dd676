"""What comes in: messages, history, calls and who is there."""
