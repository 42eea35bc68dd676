"""The rounds that admit sessions to quotas."""
