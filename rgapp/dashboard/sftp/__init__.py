"""The dashboard's pages of SFTP integrations."""
