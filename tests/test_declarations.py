"""Rules that every declaration of this package holds to, so that a review need not ask."""
