"""Filters as SQL, with the same answers on both databases."""
