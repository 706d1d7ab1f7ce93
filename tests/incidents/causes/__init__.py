"""Analyses of causes, on small cases made by hand."""
