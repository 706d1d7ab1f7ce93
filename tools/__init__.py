"""Commands for who works on this checkout."""
