"""The worlds that conversations play in: nacre itself, with the generator as its model.

`World` runs `nacre-mini-world` (see its head for the lines exchanged). What it answers to a call is
what the real tools, policy and runtime say; nothing of them is imitated here.
"""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def find_build() -> Path:
    """The build folder that holds `nacre-mini-world`: `$NACRE_BUILD`, or one below build/."""
    named = os.environ.get("NACRE_BUILD")
    folders = [Path(named)] if named else [ROOT / "build" / name for name in ("release", "dev")]
    for folder in folders:
        if (folder / "nacre-mini-world").exists():
            return folder
    raise SystemExit(
        f"no nacre-mini-world in {' or '.join(map(str, folders))}: build it with\n"
        "  ninja -C build/release nacre-mini-world"
    )


class World:
    """One long-lived program; each conversation begins with `furnish`. Not for several threads."""

    def __init__(self, build: Path):
        self._process = subprocess.Popen(
            [build / "nacre-mini-world", build / "tools"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._listen()

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _say(self, **line):
        self._process.stdin.write(json.dumps(line).encode() + b"\n")

    def _listen(self) -> dict:
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("nacre-mini-world ended; what it said stands above")
        return json.loads(line)

    def furnish(self, world: dict):
        """A new workspace and session."""
        self._say(world=world)

    def user(self, text: str):
        self._say(user=text)

    def call(self, name: str, arguments: str, **fate) -> str:
        """What the model is told of its call. `fate`: see `outcome` and `person` there."""
        self._say(call=name, arguments=arguments, **fate)
        return self._listen()["text"]

    def answer(self, text: str):
        self._say(answer=text)

    def files(self) -> dict:
        """All files now: `files` with their texts (None: binary or large) and `directories`."""
        self._say(files=True)
        return self._listen()
