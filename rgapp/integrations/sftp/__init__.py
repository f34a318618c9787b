"""SFTP: the HR system uploads a file, and who is in it decides who has an account."""
