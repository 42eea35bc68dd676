"""From a key in the work queue to the writes that follow from its decision."""
