"""Registration with Keras, so that it loads the models whose activations it saves.

Keras imports no modules of other packages when it loads a model. It takes the classes that were
registered with it, and asks them for ``from_config``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any


def register(classes: Mapping[str, type]) -> None:
    """Register classes with Keras, if it has been imported; fastact itself does not import it.

    Keras writes the names into files, so they must not change.
    """
    saving = getattr(sys.modules.get("keras"), "saving", None)
    register_one: Any = getattr(saving, "register_keras_serializable", None)
    if register_one is not None:
        for name, cls in classes.items():
            register_one("fastact", name)(cls)
