"""What a config says of the hub is the name of a repository and of a revision, and never part of another address."""

from __future__ import annotations

import pytest

from embedmark.runner.cli.main import main


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.source={hub: ../../x}", "../../x"),
        ("model.source={hub: org/..}", "org/.."),
        ("model.source={hub: a/b/c}", "a/b/c"),
        ("model.source={hub: a b/c}", "a b/c"),
        ("model.source={hub: /etc}", "/etc"),
        ("model.source={hub: -x/y}", "-x/y"),
        ("model.source={hub: 'x/y?z=1'}", "x/y?z=1"),
        ("model.source={hub: 'x%2F..%2Fy'}", "x%2F..%2Fy"),
        ("model.source={hub: 'https://evil.example/x'}", "evil.example"),
        ("model.revision=../../../x", "../../../x"),
        ("model.revision=/x", "'/x'"),
    ],
)
def test_other_addresses_are_refused(override: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "model=e5", override, "tasks=[STSBenchmark]"]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "expected" in said
    assert len(said) < 600
