"""The runners: what they report of themselves."""
