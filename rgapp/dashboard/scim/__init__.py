"""The dashboard's pages of SCIM integrations."""
