"""`isogloss serve`: a node from its configuration to its last call."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import structlog
import uvloop

from config.schema import Config
from config.secret import Secret, SecretMissing
from engine import prompts
from engine.api.app import create_app, set_settings
from engine.api.server import ApiServer
from engine.api.settings import configured
from engine.app import Engine
from engine.backup.contents import walked
from engine.beginning import Beginning
from engine.log import conceal, configure
from engine.operating import Operating, Prepare
from engine.prompts import PromptFault, PromptPack
from engine.running import Running
from engine.secrets import generated
from engine.store.errors import StoreError
from engine.voice import SpeechFault
from engine.watching import take, watch
from media.io.process import WorkerFailed
from sip.hop import SECURED
from sip.io import certificate

log = structlog.get_logger("node")

# That a thread keeps the interpreter's lock while the event loop wants it. The loop gives it up at each
# datagram that it sends, and with the usual 5 ms each would wait so long for a report that is added up.
TURN_S = 0.001
STARTING = (OSError, WorkerFailed, StoreError, SecretMissing, PromptFault, SpeechFault, ValueError)


def serve(begun: Beginning, *, data: Path | None, free_ports: bool, announce_json: bool) -> int:
    """Run until SIGTERM or SIGINT. 0 when it ended as asked, 2 when it could not start."""

    def prepared(declared: Config) -> Config:
        config = prepare(declared, data, free_ports)
        configured(config.api)  # a token that could be guessed is found before it counts
        return config

    try:
        config = prepared(begun.declared)
        configure(config.node.log.format, config.node.log.level)
        pack = prompt_pack(config)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(config, pack, begun, prepared, announce_json))
    except STARTING as fault:
        print(f"isogloss cannot start: {fault}", file=sys.stderr)
        return 2
    return 0


async def _run(
    config: Config, pack: PromptPack, begun: Beginning, prepared: Prepare, announce_json: bool
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stop.set)
    engine = Engine(config, pack)
    operating = Operating(engine, begun, os.environ, prepared, prompt_pack)
    api = console = None
    if config.api.enabled:
        app = create_app(
            engine.view, configured(config.api), engine.desk, operating, engine.access, live=engine.live
        )
        operating.told.append(lambda told: set_settings(app, configured(told.api)))
        api = ApiServer(app, config.api.address, config.api.port)
        console = app.state.console
    await engine.start()
    if api is not None:
        await api.start()
    running = Running(config.node.data_dir)
    running.tell(f"http://{api.address}:{api.port}" if api else "")
    asked = follow(operating, loop)
    settle_memory()
    sys.setswitchinterval(TURN_S)
    announce(engine, api, announce_json)
    await stop.wait()
    log.info("stopping", calls=len(engine.switch.calls))
    for task in asked:
        task.cancel()
    running.forget()
    await engine.stop()
    if console is not None:
        await console.close()
    if api is not None:
        await api.close()


def follow(operating: Operating, loop: asyncio.AbstractEventLoop) -> set[asyncio.Task[None]]:
    """Apply the files at SIGHUP, and when they change where the node is to watch them."""
    tasks = {loop.create_task(watch(operating), name="watching")}

    def asked() -> None:
        task = loop.create_task(take(operating, "SIGHUP", "the node was sent SIGHUP"))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, asked)
    return tasks


def prepare(config: Config, data: Path | None, free_ports: bool) -> Config:
    """The configuration with its secrets and certificate, and other ports or another folder when asked."""
    if data is not None:
        config = replace(config, node=replace(config.node, data_dir=data))
    if free_ports:
        transports: dict[str, int] = {each.transport: 0 for each in config.sip.listen}
        low = 10_000 + os.getpid() % 20 * 1000  # where another node on this machine is not likely to be
        config = config.with_ports(sip=transports, media=(low, low + 4000), address="127.0.0.1")
        config = replace(config, api=replace(config.api, port=0))
    folder = config.node.data_dir
    config = config.with_secrets(lambda name: generated(folder / "secrets", name))
    conceal(each.value for each in walked(config) if isinstance(each, Secret))
    tls = config.sip.tls
    if tls.self_signed and any(each.transport in SECURED for each in config.sip.listen):
        names = [config.sip.domain, *([config.sip.external_address] if config.sip.external_address else [])]
        chain, key = certificate.ensure(folder / "tls", names)
        config = replace(config, sip=replace(config.sip, tls=replace(tls, certificate=chain, key=key)))
    return config


def prompt_pack(config: Config) -> PromptPack:
    """The spoken prompts; what is not there is made now, which takes some seconds and espeak-ng."""
    folder = Path(os.environ.get("ISOGLOSS_PROMPTS", config.node.data_dir / "prompts"))
    own = config.folder / "prompts"
    texts = prompts.read_texts(own if own.is_dir() else prompts.TEXTS)
    try:
        pack = PromptPack.load(folder, config.node.language)
        if not pack.lacks(texts):
            return pack
    except PromptFault:
        pass  # there is none, or none that is whole
    log.info("speaking the prompts", folder=str(folder))
    prompts.build(folder, texts)
    return PromptPack.load(folder, config.node.language)


def settle_memory() -> None:
    """What was made at the start stays, and calls end: the collector need look seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def announce(engine: Engine, api: ApiServer | None, as_json: bool) -> None:
    """Say that the node is up, and how to reach it."""
    ports = {each.transport: each.port for each in engine.shell.listeners if not each.between}
    address = f"http://{api.address}:{api.port}" if api else ""
    config = engine.config
    if as_json:
        ready = {
            "pid": os.getpid(),
            "media": engine.workers.pids,
            "sip": ports,
            "rtp": [config.media.port_low, config.media.port_high],
            "api": address,
            "domain": config.sip.domain,
        }
        print(json.dumps(ready), flush=True)
        return
    print(f"Isogloss node {config.node.name} is up: SIP on {ports}, API at {address or 'nowhere'}.")
    print("Register a softphone:")
    for name, each in config.accounts.items():
        where = f"in {config.node.data_dir / 'secrets'}" if each.password.generated else "as configured"
        print(
            f"  {name}@{config.sip.domain}, proxy {engine.workers.address}:{ports.get('udp')},"
            f" password {where}"
        )
    first = config.api.access.first
    if first is not None and api is not None:
        where = f"in {config.node.data_dir / 'secrets' / 'access' / first.name}"
        held = where if first.password.generated else "as configured"
        print(f"Sign in at {address} as {first.name}, first password {held}.")
    numbers = ", ".join(number for number in config.numbers.exact if number.startswith("+"))
    print(f"and call {numbers}. Stop with Ctrl-C.", flush=True)
