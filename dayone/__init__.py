"""The command-line tool: start a project from this template, add resources, take later versions."""
