"""What goes in and what goes out."""
