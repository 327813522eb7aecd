"""Filters: text to a tree, and whether a document matches it (RFC 7644 section 3.4.2.2)."""
