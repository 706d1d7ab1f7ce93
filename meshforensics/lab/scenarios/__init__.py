"""The incidents of the lab."""
