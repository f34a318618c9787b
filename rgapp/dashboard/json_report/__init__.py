"""The dashboard's pages of JSON reports: one of their own, the others are those of every pull."""
