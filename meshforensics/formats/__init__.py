"""Pure decoders: bytes in, typed records out. No I/O, no pandas, no clock."""
