"""Drills: what goes wrong in production, done to real processes under load, and compared with what is promised."""
