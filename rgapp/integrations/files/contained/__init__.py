"""Programs that run in a process of their own: libraries that hold the interpreter, or end it, do so for themselves."""
