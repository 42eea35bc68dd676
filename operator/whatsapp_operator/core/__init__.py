"""Pure decisions: from what was observed to actions and status. No I/O, no clock, no framework."""
