"""The operator: turns each WhatsAppSession into one pod, within quotas, and says what it sees in status."""
