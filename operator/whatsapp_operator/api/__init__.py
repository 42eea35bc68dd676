"""The contract: WhatsAppSession and WhatsAppSessionQuota as models, and what makes the CRDs from them. No I/O."""
