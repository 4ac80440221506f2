"""Changes of inputs on a running system: planned, and applied under traffic."""
