"""The error that the command line prints."""


class ToolError(Exception):
    """Something that the user must change first; the message says what, and how."""
