"""Version 2 of the API: what differs from version 1."""
