"""Identity providers that others wrote, each a process of its own, and sign-ins through them from end to end."""
