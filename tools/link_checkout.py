"""Install this checkout into the running environment as a link: its packages and its commands.

The build back end would need packages that users do not otherwise need; a link needs none.
"""

import stat
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = """#!{python}
import sys
from {module} import {name}
sys.exit({name}())
"""


def main() -> None:
    """Write the path file and the commands of pyproject's ``project.scripts``."""
    packages = Path(sysconfig.get_path("purelib"))
    (packages / "meshforensics-checkout.pth").write_text(f"{ROOT}\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for command, target in project["scripts"].items():
        module, name = target.split(":")
        script = Path(sysconfig.get_path("scripts")) / command
        script.write_text(COMMAND.format(python=sys.executable, module=module, name=name))
        script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    main()
