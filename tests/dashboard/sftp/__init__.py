"""Tests of the dashboard's pages of SFTP integrations."""
