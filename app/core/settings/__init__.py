"""Groups of settings, which `core/config.py` combines."""
