"""The SCIM 2.0 protocol: HTTP in, rows out. Knows nothing of courses."""
