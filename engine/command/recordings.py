"""`isogloss recordings verify|decrypt`: recordings read back with the node's keys (engine/unseal.py).

Exit status: 1 when a file is not whole.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from config.load import load
from config.secret import SecretMissing
from engine.command.fault import DONE, REFUSED, CommandFault
from engine.secrets import generated
from engine.unseal import decrypt, keys_of, plain_name, verify


def run(options: argparse.Namespace) -> int:
    config = load(options.config, os.environ)
    secrets = config.node.data_dir / "secrets"
    try:
        keys = keys_of(config.with_secrets(lambda name: generated(secrets, name)))
    except (SecretMissing, OSError) as error:
        raise CommandFault(str(error)) from error
    if options.action == "verify":
        return _report(((path, verify(path, keys)) for path in options.files), options.json)
    (path,) = options.files
    to = options.to or path.with_name(plain_name(path))
    if to == path:
        return _report([(path, "is not sealed")], options.json)
    return _report([(path, decrypt(path, to, keys))], options.json)


def _report(found: Iterable[tuple[Path, str]], as_json: bool) -> int:
    """found: what is wrong with a file, "" for nothing."""
    told, worst = [], DONE
    for path, fault in found:
        told.append({"file": str(path), "fault": fault})
        worst = REFUSED if fault else worst
        if not as_json:
            print(f"{path}: {fault or 'whole'}", file=sys.stderr if fault else sys.stdout)
    if as_json:
        print(json.dumps({"items": told}, ensure_ascii=False))
    return worst
