"""SCIM 2.0 (RFC 7643, RFC 7644) without a web framework: what clients send, read in our words."""
