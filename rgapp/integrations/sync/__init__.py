"""What the feeds of all kinds share: their runs, the check that writes nothing, the guard's hold, and the writing."""
