"""Secrets are referred to, resolved once, and never shown."""

from __future__ import annotations

import pytest

from config.secret import MAX_SECRET_BYTES, Secret, SecretMissing, resolve


def test_a_secret_comes_from_an_environment_variable(tmp_path):
    secret = resolve({"env": "PASSWORD"}, {"PASSWORD": "hunter2"}, tmp_path)
    assert secret.reveal() == "hunter2"


def test_a_secret_comes_from_a_file_without_its_line_end(tmp_path):
    (tmp_path / "bob").write_text("hunter2\n", "utf-8")
    assert resolve({"file": "bob"}, {}, tmp_path).reveal() == "hunter2"


def test_a_secret_never_shows_its_value():
    secret = Secret("env:PASSWORD", "hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars(SecretMissing('a', 'b'))}"


def test_a_secret_is_compared_whatever_its_language():
    assert Secret("env:P", "pässwörd").matches("pässwörd")
    assert not Secret("env:P", "pässwörd").matches("password")


def test_a_generated_secret_has_no_value_until_it_is_filled_in(tmp_path):
    secret = resolve({"generated": True}, {}, tmp_path)
    assert secret.generated
    with pytest.raises(SecretMissing):
        secret.reveal()


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * (MAX_SECRET_BYTES + 1)])
def test_a_file_that_holds_no_usable_secret_is_refused(tmp_path, content):
    (tmp_path / "bob").write_bytes(content)
    with pytest.raises(SecretMissing):
        resolve({"file": "bob"}, {}, tmp_path)


@pytest.mark.parametrize(
    "reference",
    ["hunter2", 5, None, [], {}, {"env": 5}, {"generated": False}, {"env": "A", "file": "b"}, {"vault": "x"}],
)
def test_what_is_no_reference_is_refused_without_repeating_it(tmp_path, reference):
    with pytest.raises(SecretMissing) as caught:
        resolve(reference, {}, tmp_path)
    assert "hunter2" not in str(caught.value)
