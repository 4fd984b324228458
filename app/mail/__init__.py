"""Mail: messages and delivery."""
