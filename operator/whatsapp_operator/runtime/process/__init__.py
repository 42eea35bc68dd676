"""What a process needs once: clock, metrics, keys, the Lease, and the runtime put together."""
