"""What of a status is written, and when."""
