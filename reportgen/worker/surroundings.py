"""The environment that a worker sees: an allow-list, so that no secret of the job reaches it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from reportgen.worker.isolation import ADDRESS_SPACE, ISOLATE
from reportgen.worker.serve import EVENTS_FD, LIFELINE_FD

_KEPT = (
    "PATH HOME USER LOGNAME LANG LANGUAGE TZ TMPDIR TEMP TMP SYSTEMROOT LD_LIBRARY_PATH DYLD_LIBRARY_PATH "
    "VIRTUAL_ENV CONDA_PREFIX KERAS_BACKEND PYTHONHASHSEED PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX "
    "OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS NUMEXPR_NUM_THREADS CUDA_VISIBLE_DEVICES "
    "NVIDIA_VISIBLE_DEVICES CUDA_HOME CUDA_PATH XLA_FLAGS JAX_PLATFORMS TF_ENABLE_ONEDNN_OPTS "
    "TF_NUM_INTRAOP_THREADS TF_NUM_INTEROP_THREADS TF_GPU_ALLOCATOR TF_FORCE_GPU_ALLOW_GROWTH "
    "TF_CPU_ALLOCATOR_USE_BFC TF_DETERMINISTIC_OPS SOURCE_DATE_EPOCH"
)
KEPT = frozenset(_KEPT.split())
PREFIXES = ("LC_",)
DEFAULTS = {
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    # Keeps freed activations for the next layer instead of giving them back to the system page by page.
    "TF_CPU_ALLOCATOR_USE_BFC": "true",
    # NumPy's sums run beside TensorFlow's threads; a second pool of spinning threads only gets in their way.
    "OPENBLAS_NUM_THREADS": "1",
}
# Of use only in the interpreter that they were set for; in another one they would drag this one's packages in.
OWN_INTERPRETER = ("PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE")


def make_environment(
    folder: Path, *, own: bool, backend: str, events: int, lifeline: int, isolate: bool = False, address_space: int = 0
) -> dict[str, str]:
    """Return the worker's environment; `own` is True when it runs in this very interpreter.

    Its temporary files go into its private folder, which is removed with all that a killed worker left there.
    """
    names = [name for name in os.environ if name in KEPT or name.startswith(PREFIXES)]
    kept = {name: os.environ[name] for name in names}
    if own:
        kept.update({name: os.environ[name] for name in OWN_INTERPRETER if name in os.environ})
    if backend:
        kept["KERAS_BACKEND"] = backend
    for name, value in DEFAULTS.items():
        kept.setdefault(name, value)
    temporary = folder / "tmp"
    temporary.mkdir()
    kept.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)))
    kept |= {ISOLATE: "1"} if isolate else {}
    kept |= {ADDRESS_SPACE: str(address_space)} if address_space else {}
    kept |= {
        EVENTS_FD: str(events),
        LIFELINE_FD: str(lifeline),
        "KERAS_HOME": str(_keras_home(folder)),
        "PYTHONUTF8": "1",
        "PYTHONSAFEPATH": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return kept


def _keras_home(folder: Path) -> Path:
    """Return a private Keras folder holding the user's settings: Keras writes into its folder when it is imported."""
    home = folder / "keras"
    home.mkdir()
    settings = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        if settings.is_file() and settings.stat().st_size < 64 * 1024:
            shutil.copyfile(settings, home / "keras.json")
    except OSError:
        pass  # Keras has defaults of its own.
    return home
