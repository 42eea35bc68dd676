"""Quotas: what is reserved, which session is pending, and who is admitted."""
