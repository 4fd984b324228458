"""Requests from browsers: origin checks, and sessions in cookies."""
