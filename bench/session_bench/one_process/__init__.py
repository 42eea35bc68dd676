"""Sessions without isolation: all in one process, to measure what isolation costs."""
