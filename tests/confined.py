"""A process with a file system of its own and no rights, as a container has it; made by root."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SYSTEM = ("bin", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr")


def is_confined() -> bool:
    """Whether processes can be given a file system of their own."""
    if os.geteuid() or shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return False
    words = ["unshare", "--mount", "mount", "--make-rprivate", "/"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def confined(
    part: Mapping[str, Any],
    root: Path,
    image: Mapping[str, Path],
    volumes: Mapping[str, Path],
    home: str,
    command: Sequence[str],
) -> list[str]:
    """Return the command that runs another one as a service of compose.yaml is run.

    Args:
        part: The service.
        root: Where its file system is put together; other processes see nothing of it.
        image: What can only be read, by the place inside.
        volumes: What can be written, likewise.
        home: Where the command begins.
        command: To be run.
    """
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    user, group = part["user"].split(":")
    lines = [*_base(root), *_mounts(part.get("tmpfs", []), image, volumes)]
    if part.get("read_only"):
        lines.append(f"mount -o remount,ro {shlex.quote(str(root))}")
    lines.append(
        f"exec {shutil.which('chroot')} . {shutil.which('setpriv')}"
        # Whatever ends the test ends it, too.
        f" --pdeathsig SIGKILL --reuid {user} --regid {group} --clear-groups"
        " --no-new-privs --bounding-set=-all --inh-caps=-all"
        f' /bin/sh -c \'cd {home} && exec "$@"\' sh "$@"'
    )
    script = "\n".join(lines)
    return ["unshare", "--mount", "sh", "-eu", "-c", script, "sh", *command]


def _base(root: Path) -> list[str]:
    place = shlex.quote(str(root))
    return [
        "mount --make-rprivate /",
        f"mkdir -p {place}",
        f"mount -t tmpfs -o mode=755 image {place}",
        f"cd {place}",
        # Links, as /bin is one on many systems, stay links.
        *(
            f"if [ -h /{name} ]; then cp -P /{name} .;"
            f" elif [ -d /{name} ]; then mkdir {name}; mount --rbind /{name} {name};"
            f" mount -o remount,bind,ro {name}; fi"
            for name in SYSTEM
        ),
    ]


def _mounts(
    memory: Sequence[str], image: Mapping[str, Path], volumes: Mapping[str, Path]
) -> list[str]:
    lines = []
    # First, as this checkout may lie below /tmp.
    for entry in memory:
        inside, _, options = entry.partition(":")
        lines.append(f"mkdir -p .{inside}; mount -t tmpfs -o {options} tmpfs .{inside}")
    for inside, path in (image | volumes).items():
        source, target = shlex.quote(str(path)), shlex.quote(f".{inside}")
        make = "mkdir -p" if path.is_dir() else f"mkdir -p $(dirname {target}); : >"
        lines.append(f"{make} {target}; mount --bind {source} {target}")
        if inside in image:
            lines.append(f"mount -o remount,bind,ro {target}")
    return lines
