"""What the dashboard shows of feeds, whatever their kind: their runs, and what is done about a held one."""
