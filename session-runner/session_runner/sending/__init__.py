"""Messages that go out: taken, told whose turn it is, made ready, handed over and followed."""
