"""What an attribute is: declared once, derived from everywhere (RFC 7643)."""
