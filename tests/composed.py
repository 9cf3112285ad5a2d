"""The services of compose.yaml as processes of this machine: what an engine would do, without one.

Command, environment, user, secrets, mounts and file systems are those of the file and of the
image's Dockerfile. As root each process gets a root of its own, read-only where the file says so;
else it runs as it is, with paths of this machine. Networks are left out: host names and ports are
replaced by the caller.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from tests.confined import confined, is_confined

REPOSITORY = Path(__file__).parent.parent
DOCKER = REPOSITORY / "docker"
# Programs in it name its place in their first line.
VENV = Path(sys.prefix).resolve()
PYTHON = Path(sys.base_prefix).resolve()
PAGES = (REPOSITORY / "chartserver" / "node_modules").resolve()
PROXY = "/opt/proxy"
FILES = ("dagster.yaml", "workspace.yaml")

VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^{}]*))?\}")
IMAGE_ENVIRONMENT = re.compile(r"^ENV ((?:.*\\\n)*.*)$", re.MULTILINE)


def resolve(value: Any, settings: Mapping[str, str]) -> Any:
    """Return a value of the file with its `${...}` replaced, as compose does."""

    def one(found: re.Match[str]) -> str:
        name, rule, rest = found.groups()
        if given := settings.get(name):
            return given
        assert rule != "?", f"{name} is required: {rest}"
        return rest or ""

    if isinstance(value, str):
        return VARIABLE.sub(one, value)
    if isinstance(value, list):
        return [resolve(item, settings) for item in value]
    if isinstance(value, dict):
        return {key: resolve(item, settings) for key, item in value.items()}
    return value


def image_environment(path: str) -> dict[str, str]:
    """Return what the app's image sets, on top of a PATH."""
    stage = (DOCKER / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    environment = {"PATH": path}
    for block in IMAGE_ENVIRONMENT.findall(stage):
        for word in shlex.split(block.replace("\\\n", " ")):
            name, _, value = word.partition("=")
            environment[name] = value.replace("$PATH", path)
    return environment


class Composed:
    """The file with the settings of an `.env`, and the processes that were started of it.

    Args:
        folder: For roots, logs and what the secrets hold; open to other users.
        settings: Of the `.env`.
        places: Texts of commands, environments and health checks, and what stands for them here.
        secrets: What the files of secrets hold.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        places: Mapping[str, str],
        secrets: Mapping[str, str],
    ):
        text = (DOCKER / "compose.yaml").read_text()
        self._file = resolve(yaml.safe_load(text), settings)
        self.folder, self._settings, self._places = folder, settings, dict(places)
        self._started: list[Service] = []
        self._empty = folder / "empty"
        self._empty.mkdir()
        self.dagster = folder / "dagster"
        self.dagster.mkdir()
        for name in FILES:
            shutil.copy(DOCKER / name, self.dagster)
        self.secrets = folder / "secrets"
        self.secrets.mkdir(mode=0o700)
        assert set(secrets) == set(self._file["secrets"])
        for name, content in secrets.items():
            (self.secrets / name).write_text(content)

    def place(self, text: str) -> str:
        """Return a text of the file with what stands for its places here."""
        if text in self._places:
            return self._places[text]
        for there, here in self._places.items():
            # A bare number is a port only where it is the whole text.
            text = text.replace(there, here) if ":" in there else text
        return text

    def service(self, name: str, **extra: str) -> "Service":
        """Return a service that is not started; `extra` is added to its environment."""
        return Service(self, name, self._file["services"][name], extra)

    def start(self, name: str, **extra: str) -> "Service":
        """Start a service."""
        service = self.service(name, **extra)
        service.start()
        self._started.append(service)
        return service

    def give_proxy(self, caddy: Path, caddyfile: str) -> None:
        """Make what the proxy's image holds."""
        image = self.folder / "proxy"
        image.mkdir()
        shutil.copy(caddy, image / "caddy")
        (image / "Caddyfile").write_text(caddyfile)
        self._places["/etc/caddy/Caddyfile"] = f"{PROXY}/Caddyfile"

    def stop(self) -> None:
        """Kill what still runs."""
        for service in self._started:
            service.kill()

    def environment(self, service: Mapping[str, Any], extra: Mapping[str, str]) -> dict[str, str]:
        given = {
            name: self._settings.get(name) if value is None else str(value)
            for name, value in service.get("environment", {}).items()
        }
        known = {name: self.place(value) for name, value in given.items() if value is not None}
        return known | dict(extra)

    def mounts(self, service: Mapping[str, Any]) -> dict[str, Path]:
        """Return what is mounted read-only, by the place inside."""
        own = {f"/run/secrets/{name}": self.secrets / name for name in service.get("secrets", [])}
        for volume in service.get("volumes", []):
            source, inside, *_ = volume.split(":")
            if source.startswith((".", "/")):
                path = (DOCKER / source).resolve()
                # An engine makes what is not there.
                own[inside] = path if path.exists() else self._empty
        return own

    def volumes(self, service: Mapping[str, Any]) -> dict[str, Path]:
        """Return the named volumes by the place inside; their owner is the service's user."""
        found = {}
        for volume in service.get("volumes", []):
            source, inside, *_ = volume.split(":")
            if source in self._file["volumes"]:
                found[inside] = self.folder / source
                if not found[inside].exists():
                    found[inside].mkdir()
                    os.chown(found[inside], *map(int, service["user"].split(":")))
        return found


class Service:
    """One service; its output is in `log`."""

    def __init__(self, composed: Composed, name: str, part: dict[str, Any], extra: dict[str, str]):
        self.name, self._part, self._composed = name, part, composed
        self.log = composed.folder / f"{name}.log"
        self._extra = extra
        self._process: subprocess.Popen | None = None
        self._was_healthy = False

    def start(self) -> None:
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self._command([*self._entrypoint, *self._part["command"]]),
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=REPOSITORY,
                # Docker's signals go to the process alone, not to those that it started.
                start_new_session=True,
            )

    def wait(self) -> int:
        """Return the exit code of a service that ends by itself."""
        return self._process.wait()

    def runs(self) -> bool:
        return self._process.poll() is None

    def health(self) -> subprocess.CompletedProcess:
        """Ask as the file's health check does."""
        kind, *command = self._part["healthcheck"]["test"]
        assert kind == "CMD"
        return self._run(command)

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess:
        return subprocess.run(
            self._command(words),
            env=self._environment(),
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            check=False,
        )

    def wait_until_healthy(self, seconds: float = 120) -> None:
        """Return when its health check has passed once."""
        if self._was_healthy:
            return
        deadline = time.monotonic() + seconds
        while (answer := self.health()).returncode:
            assert self.runs(), f"{self.name} ended:\n{self.tail()}"
            assert time.monotonic() < deadline, f"{answer.stderr}\n{self.tail()}"
            time.sleep(0.2)
        self._was_healthy = True

    def run(self, *words: str) -> subprocess.CompletedProcess:
        """Run another command in a container like its own, as `docker compose run` does."""
        return self._run([*self._entrypoint, *words])

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the whole service stand still, as `docker pause` does."""
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to end, as `docker stop` does."""
        self._process.send_signal(signal.SIGTERM)

    def wait_for_end(self) -> int:
        """Return its exit code, within the time that an engine gives it."""
        allowed = {"": 10, "30s": 30, "1m": 60}[self._part.get("stop_grace_period", "")]
        return self._process.wait(timeout=allowed)

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def tail(self) -> str:
        return self.log.read_text()[-3000:] if self.log.exists() else ""

    @property
    def _entrypoint(self) -> list[str]:
        return ["with-secrets"] if self._part["build"]["target"] == "app" else []

    def _environment(self) -> dict[str, str]:
        environment = self._composed.environment(self._part, self._extra)
        if not self._entrypoint:
            return {"PATH": f"{PROXY}:{os.defpath}"} | environment
        if is_confined():
            image = image_environment(f"/app/docker:{os.defpath}:/usr/local/bin")
            # In the image the packages are installed from /app.
            return image | {"PYTHONPATH": "/app"} | environment
        image = image_environment(f"{VENV}/bin:{DOCKER}:{os.environ['PATH']}")
        return {
            key: self._outside(value)
            for key, value in (image | {"PYTHONPATH": str(REPOSITORY)} | environment).items()
        }

    def _command(self, words: Sequence[str]) -> list[str]:
        command = [self._composed.place(word) for word in words]
        if not is_confined():
            return [self._outside(word) for word in command]
        root = self._composed.folder / "root"
        volumes = self._composed.volumes(self._part)
        home = "/app" if self._entrypoint else "/"
        return confined(self._part, root, self._image(), volumes, home, command)

    def _outside(self, text: str) -> str:
        """Put paths of this machine for those of the container."""
        paths = self._composed.mounts(self._part) | {"/opt/dagster": self._composed.dagster}
        inside = "|".join(map(re.escape, sorted(paths, reverse=True)))
        # Once, from the beginning of a path: what is put there is left alone.
        return re.sub(rf"(?<![\w/.])({inside})(?![\w.-])", lambda at: str(paths[at[1]]), text)

    def _image(self) -> dict[str, Path]:
        """Return what is read-only in the container, by the place inside."""
        mounts = {"/app": REPOSITORY, "/opt/venv": VENV, str(VENV): VENV}
        for path in (PYTHON, PAGES):
            if not path.is_relative_to("/usr"):
                mounts[str(path)] = path
        mounts["/opt/dagster"] = self._composed.dagster
        if not self._entrypoint:
            mounts = {PROXY: self._composed.folder / "proxy"}
        return mounts | self._composed.mounts(self._part)
