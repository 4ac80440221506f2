"""What a system will carry, what it will cost, and what to change first: a simulation."""
