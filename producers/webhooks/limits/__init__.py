"""What a tenant may send, and how much at once: its own limits, else those of the settings."""
