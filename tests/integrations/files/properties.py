"""How long property tests of files may take: as long as a busy machine needs."""

from hypothesis import HealthCheck, settings

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: Where each example starts a program.
few = settings(patient, max_examples=25)
