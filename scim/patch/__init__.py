"""PATCH: a message and a document to a document (RFC 7644 section 3.5.2)."""
