"""A folder of YAML becomes frozen values."""

from __future__ import annotations

import dataclasses
import shutil
from ipaddress import ip_network
from pathlib import Path

import pytest

from config.fault import did_you_mean
from config.load import SHIPPED, load
from config.queue import QueueSettings
from config.schema import Config
from config.secret import SecretMissing
from config.signalling import Guard
from routing.agent import AgentState
from routing.number import Callers, Feature, FeatureCode, QueueTarget
from routing.queue import QueueSpec
from sip.guard import GuardPolicy


@pytest.fixture(scope="module")
def shipped() -> Config:
    return load(SHIPPED, {})


def test_the_shipped_configuration_loads_as_it_is(shipped):
    assert list(shipped.queues) == ["support", "ventas", "zhichi", "soporte"]
    assert [shipped.queues[name].language for name in shipped.queues] == ["en", "es", "zh", "es"]
    assert list(shipped.agents) == ["alice", "bob", "carmen", "wei"]
    assert [name for name in shipped.accounts if name not in shipped.agents] == ["customer"]
    assert not shipped.sip.anonymous_callers
    assert (shipped.media.port_low, shipped.media.port_high) == (16384, 32766)
    assert not any(line.enabled for line in shipped.lines.values())


def test_the_shipped_numbers_lead_to_the_queues_and_agents(shipped):
    found = shipped.numbers.find("020 7183 8750")
    assert found is not None
    assert (found.number, found.destination) == ("+442071838750", QueueTarget("support"))
    code = shipped.numbers.find("*45")
    assert code is not None
    assert (code.destination, code.rule.callers) == (FeatureCode(Feature.LOGIN), Callers.AGENTS)


def test_agents_start_logged_out_with_what_routing_needs_to_know(shipped):
    carmen = shipped.agents["carmen"].value()
    assert (carmen.state, carmen.queues) == (AgentState.LOGGED_OUT, ("ventas", "support"))
    assert shipped.agents["alice"].value().auto_login


def test_a_queue_without_title_is_called_by_its_name_and_one_without_market_takes_the_lines(folder, edit):
    edit("queues.yaml", "  title: Ventas\n  language: es\n  market: es\n", "  language: es\n")
    ventas = load(folder, {}).queues["ventas"]
    assert (ventas.market, ventas.title) == ("", "ventas")


def test_every_setting_of_a_queue_reaches_routing():
    given = {field.name for field in dataclasses.fields(QueueSettings)}
    wanted = {field.name for field in dataclasses.fields(QueueSpec)}
    assert given == wanted - {"hours"}
    defaults = QueueSettings(name="support", language="en").spec()
    same = dataclasses.replace(defaults, title="", music="")
    assert same == QueueSpec("support")


def test_the_guard_starts_from_the_policy_that_sip_recommends():
    assert Guard().policy() == GuardPolicy()
    assert Guard(exempt=("10.0.0.0/8",)).policy().exempt == (ip_network("10.0.0.0/8"),)


def test_secrets_come_from_the_environment_and_from_files(folder, edit):
    edit("agents.yaml", "Bob\n    password: {generated: true}", "Bob\n    password: {env: BOB}")
    edit("agents.yaml", "Carmen\n    password: {generated: true}", "Carmen\n    password: {file: carmen}")
    (folder / "carmen").write_text("c-secret\n", "utf-8")
    config = load(folder, {"BOB": "b-secret"})
    assert config.agents["bob"].password.reveal() == "b-secret"
    assert config.agents["carmen"].password.reveal() == "c-secret"
    assert "secret'" not in repr(config).replace("'generated'", "")


def test_generated_secrets_are_filled_in_by_name_and_nothing_else_is(folder, edit):
    edit("agents.yaml", "Bob\n    password: {generated: true}", "Bob\n    password: {env: BOB}")
    config = load(folder, {"BOB": "own"})
    with pytest.raises(SecretMissing):
        config.agents["alice"].password.reveal()
    asked: list[str] = []
    filled = config.with_secrets(lambda name: asked.append(name) or f"made for {name}")
    assert filled.agents["alice"].password.reveal() == "made for agents/alice"
    assert filled.api.tokens["console"].token.reveal() == "made for api/console"
    assert filled.agents["bob"].password.reveal() == "own"
    assert sorted(asked) == [
        "access/admin",
        "access/keys/y1",
        "agents/alice",
        "agents/carmen",
        "agents/wei",
        "api/console",
        "api/prometheus",
        "api/website",
        "callers/shipped",
        "users/customer",
    ]


def test_a_node_can_be_told_other_ports(shipped):
    moved = shipped.with_ports(
        sip={"udp": 7000, "tcp": 7001}, api=7002, media=(8000, 8999), address="127.0.0.1"
    )
    listening = [(each.transport, each.address, each.port) for each in moved.sip.listen]
    assert listening == [("udp", "127.0.0.1", 7000), ("tcp", "127.0.0.1", 7001)]
    assert (moved.api.address, moved.api.port) == ("127.0.0.1", 7002)
    assert (moved.media.address, moved.media.port_low, moved.media.port_high) == ("127.0.0.1", 8000, 8999)
    assert moved.queues == shipped.queues


def test_ports_that_are_not_named_stay(shipped):
    assert shipped.with_ports() == shipped


def test_names_that_are_numbers_need_no_quotes(folder, edit):
    edit("numbers.yaml", '"1001": {agent: alice}', "1001: {agent: alice}")
    edit("numbers.yaml", '"+34910601234"', "+34910601234")
    assert load(folder, {}).numbers.exact == load(SHIPPED, {}).numbers.exact


def test_certificates_are_found_relative_to_the_folder(folder, edit):
    edit("sip.yaml", "  self_signed: true ", "  certificate: chain.pem\n  key: key.pem\n  ca: ca.pem\n  #")
    for name in ("chain.pem", "key.pem", "ca.pem"):
        (folder / name).write_text("pem", "utf-8")
    tls = load(folder, {}).sip.tls
    assert (tls.certificate, tls.key, tls.ca) == tuple(
        folder / f"{each}.pem" for each in ("chain", "key", "ca")
    )


def test_a_folder_without_lines_is_a_node_without_lines(folder):
    shutil.rmtree(folder / "lines")
    assert load(folder, {}).lines == {}


def test_a_folder_without_prompts_uses_the_shipped_ones(folder):
    (folder / "prompts" / "en.yaml").unlink()
    (folder / "prompts").rmdir()
    assert load(folder, {}).queues["support"].welcome


def test_a_file_may_be_all_defaults(folder):
    for name in ("media", "store"):
        (folder / f"{name}.yaml").write_text("# as shipped\n", "utf-8")
    config = load(folder, {})
    assert config.store.path == Path("isogloss.db")
    assert config.media.codecs == ("OPUS", "G722", "PCMA", "PCMU")


def test_values_that_are_not_sound_do_not_hide_what_refers_to_them(folder, edit, faults):
    edit("queues.yaml", "Ventas\n  language: es", "Ventas\n  language: Spanish")
    assert [fault.path for fault in faults()] == ["ventas.language"]


def test_a_broken_file_brings_no_faults_about_what_it_would_have_held(folder, edit, faults):
    edit("queues.yaml", "support:\n", "support\n")
    assert {Path(fault.file).name for fault in faults()} == {"queues.yaml"}


def test_an_unknown_word_is_answered_with_the_nearest_known_one():
    assert did_you_mean("suport", ["support", "ventas"]) == "did you mean 'support'?"
    assert did_you_mean("x", ["b", "a"]) == "known here: a, b"
    assert did_you_mean("x", []) == "known here: nothing"
    many = did_you_mean("x", [f"queue-{n:02}" for n in range(20)])
    assert many.endswith("queue-11 and 8 more")
