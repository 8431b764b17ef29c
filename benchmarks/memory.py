"""How much memory this process holds. Imports next to nothing, since what it imports would count."""

from __future__ import annotations

import ctypes
import gc
import resource


def resident() -> int:
    """Bytes of memory that this process holds now."""
    gc.collect()
    pages = int(_read("/proc/self/statm").split()[1])
    return pages * resource.getpagesize()


def peak_resident() -> int:
    """The most bytes of memory that this process has held."""
    for line in _read("/proc/self/status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


def give_back() -> int:
    """Hand what is free back to the system, as far as the C library does that; bytes that are held then."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    return resident()


def reset_peak() -> None:
    """Let `peak_resident` begin anew from what is held now (Linux: proc(5), clear_refs)."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
