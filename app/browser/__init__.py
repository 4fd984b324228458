"""What requests of browsers need: a check of their origin, and sessions in cookies."""
