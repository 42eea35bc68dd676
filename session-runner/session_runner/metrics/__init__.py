"""What Prometheus is told of a runner: the rows of the table, what is counted, and what is measured at each scrape."""
