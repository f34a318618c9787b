"""Files as people's systems send them, turned into tables: pure, streaming, with limits for what wants to hurt."""
