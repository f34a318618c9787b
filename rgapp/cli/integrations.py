"""`flask integration …`: being written."""

from rgapp.cli.support import group

integration = group("integration", "Apply, export and list integrations.")
