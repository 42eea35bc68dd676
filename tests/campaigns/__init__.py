"""What long runs on a real cluster share: many linked sessions, somebody who looks every second, claims and verdicts."""
