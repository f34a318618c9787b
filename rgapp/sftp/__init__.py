"""The SFTP server: a process of its own that speaks SSH, lets accounts in, and writes into the spool."""
