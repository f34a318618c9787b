"""HTTP JSON report: we read a list of people from one address, as Workday and others give it."""
