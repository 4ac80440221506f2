"""What a change of an input does to a running system: planned, and applied under traffic."""
