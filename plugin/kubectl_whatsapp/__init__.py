"""The kubectl plugin: `kubectl whatsapp qr NAME`, `kubectl whatsapp status`."""
