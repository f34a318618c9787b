"""The dashboard's pages of BambooHR integrations."""
