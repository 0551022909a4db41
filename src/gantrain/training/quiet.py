"""Silence for what libraries say to their own developers."""

import logging
import warnings


def quiet_libraries() -> None:
    """Only errors from Lightning; none of its hints, nor of torch's about its own internals.

    Lightning sets its loggers' levels when it is imported: who uses it imports it first.
    """
    for name in ("pytorch_lightning", "lightning", "lightning.pytorch", "lightning.fabric", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric|lightning_utilities|torch)\b")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
