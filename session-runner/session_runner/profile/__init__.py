"""The browser profile on its volume: who may write, what is kept, when a login is durable."""
