"""What the dashboard shows of integrations that pull, whatever the other side is."""
