"""What was asked for and what became of it, on the profile's volume."""
