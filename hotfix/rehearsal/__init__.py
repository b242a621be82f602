"""A plan carried out on an embedded GitLab that stands as the real one does, with faults."""
