"""Who is signed in: passwords, sessions of staff and of employees, and the principal of a request."""
