"""Scripts that print figures; nothing here is asserted by a test."""
