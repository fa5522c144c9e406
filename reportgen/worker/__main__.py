"""Start the worker: `python path/to/worker/__main__.py FOLDER [keras]`, in any interpreter with NumPy and Keras.

With `keras` it is imported before the plan has come.

reportgen need not be installed there: the package is loaded from the folder around this file, without putting that
folder's parent (the main process's site-packages) on the search path.
"""

from __future__ import annotations

import sys
import time

STARTED = time.perf_counter()


def load_package() -> None:
    """Make `reportgen` importable from this file's own place, and nothing else beside it."""
    import importlib.util
    import pathlib

    root = pathlib.Path(__file__).resolve().parent.parent
    spec = importlib.util.spec_from_file_location(
        "reportgen", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise SystemExit("the worker's own files are incomplete")
    package = importlib.util.module_from_spec(spec)
    sys.modules["reportgen"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    # Python puts this folder first on the path; its modules must not shadow anybody's `load` or `batch`.
    sys.path.pop(0)
    if "reportgen" not in sys.modules:
        load_package()
    from reportgen.worker.serve import serve

    serve(sys.argv[1], STARTED, early="keras" in sys.argv[2:])
