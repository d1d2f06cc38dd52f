"""A node's files with something of everything in them, which nothing runs from."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from config.load import load
from config.schema import Config
from engine.access.audit import Audit
from engine.access.chain import Entry
from engine.access.role import Role
from engine.beginning import begin
from engine.journal import Journal
from engine.secrets import generated
from engine.store.accounts import User
from tests.engine.operating_stand import empty_store, shipped
from tests.engine.store_samples import T0, arrived, ended, record, talk

NOTE = ("maria", "password", "get_record")


class House:
    """folder: of the configuration; data: of the node."""

    def __init__(self, place: Path) -> None:
        self.folder, self.data = shipped(place / "config"), place / "data"
        self.data.mkdir()
        (self.data / "isogloss.db").write_bytes(empty_store())
        (self.folder / "private").mkdir()
        (self.folder / "private" / "crm").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
        hook = "{url: https://crm.example.com/, secret: {file: private/crm}, kinds: ['*']}"
        (self.folder / "hooks.yaml").write_text(f"crm: {hook}\n")
        begin(self.folder, {}, self.data)
        for name in ("accounts/alice", "api/operator"):
            generated(self.data / "secrets", name)
        (self.data / "tls").mkdir()
        (self.data / "tls" / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
        (self.data / "cards").mkdir()
        (self.data / "cards" / "001010000000001").write_text("{}")
        self.recording("2026-03-02/c1-1.opus", b"OggS" + os.urandom(5000))

    @property
    def url(self) -> str:
        return f"sqlite:///{self.data}/isogloss.db"

    def recording(self, name: str, content: bytes) -> Path:
        file = self.data / "recordings" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def config(self, **env: str) -> Config:
        config = load(self.folder, env)
        return replace(config, node=replace(config.node, data_dir=self.data))

    def live(self, url: str = "") -> None:
        """A call, a user and some entries of the audit log, as a node writes them."""
        with Journal(url or self.url, "n1", spill=self.data / "journal.spill") as journal:
            for event in talk("c1"):
                journal.append(event)
            journal.finish(ended("c1"), record("c1"))
            journal.append(arrived("c2"))
            assert journal.flush()
            journal.accounts.add(User(name="maria", role=Role.ADMIN, made_at=T0, changed_at=T0))
            audit = Audit(journal.trail, "n1", self.data / "audit.spill", self.data / "audit.anchor")
            for number in range(5):
                audit.note(Entry(str(number), T0 + number, "n1", *NOTE, f"records/r{number}", "done"))
            audit.close()
