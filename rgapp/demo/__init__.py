"""The demo: a programme with staff, and an identity provider that knows six employees; only where RGAPP_DEMO=1."""
