"""The business rules; nothing here knows of HTTP."""
