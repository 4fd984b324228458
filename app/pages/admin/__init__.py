"""The administration: pages for administrators. Every change goes through the services."""
