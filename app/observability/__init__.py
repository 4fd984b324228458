"""Metrics, health, the security log, and the watchdog of the event loop."""
