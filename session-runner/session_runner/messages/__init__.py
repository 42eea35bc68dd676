"""What is decided about messages: pure functions over requests, ids and progress. No I/O, no clock, no randomness."""
