"""BambooHR: we read its people on a schedule, and who is there decides who has an account."""
