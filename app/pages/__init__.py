"""Pages for people, rendered on the server; everything that they load is served from here."""
