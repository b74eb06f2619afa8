"""Looking inside a transformer: what its activation functions received, what they could be called, and what their names cost.

    reading = open_kat(module, X, y)
    reading = reading.snap(reading.functions[0].address, "tanh")

All of it is torch: import this package where torch is wanted.
"""

from workbench.activations.attention import attention_maps
from workbench.activations.candidates import KATCandidate
from workbench.activations.certificate import Compared, KATCertificate
from workbench.activations.opening import open_kat
from workbench.activations.reading import GroupFunction, KATReading
from workbench.activations.received import Received

__all__ = ["Compared", "GroupFunction", "KATCandidate", "KATCertificate", "KATReading", "Received", "attention_maps", "open_kat"]
