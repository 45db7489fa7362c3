from __future__ import annotations

import datetime as dt
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "changelog.py"
OPEN = (
    "# Changes\n\n## 0.2.0 (not yet released)\n\nA word before.\n\n### Fixed\n\n- One.\n\n"
    "## 0.1.0 (2026-01-02)\n\n- Old.\n"
)
CLOSED = "# Changes\n\n## 0.1.0 (2026-01-02)\n\n- Old.\n"


@pytest.fixture(scope="module")
def changelog() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        yield importlib.import_module("changelog")


def tree(folder: Path, text: str, **fragments: str) -> Path:
    (folder / "changelog.d").mkdir()
    (folder / "changelog.d" / "README.md").write_text("# About\n")
    (folder / "CHANGELOG.md").write_text(text)
    for name, content in fragments.items():
        (folder / "changelog.d" / f"{name.replace('__', '.')}.md").write_text(content)
    return folder


def call(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), "--root", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_fragments_of_this_tree_can_be_folded() -> None:
    done = call(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_fragments_are_folded_by_their_kind_and_taken_away(tmp_path: Path) -> None:
    root = tree(
        tmp_path, OPEN, b__added="A new\nthing.\n", a__fixed="Two.", c__security="Three.", d__added="Four."
    )
    done = call(root)
    assert (done.returncode, done.stdout) == (0, "4 fragments folded into CHANGELOG.md.\n")
    assert (root / "CHANGELOG.md").read_text() == (
        "# Changes\n\n## 0.2.0 (not yet released)\n\nA word before.\n\n"
        "### Added\n\n- A new thing.\n- Four.\n\n"
        "### Fixed\n\n- One.\n- Two.\n\n### Security\n\n- Three.\n\n## 0.1.0 (2026-01-02)\n\n- Old.\n"
    )
    assert [path.name for path in (root / "changelog.d").iterdir()] == ["README.md"]
    assert call(root).stdout == "0 fragments folded into CHANGELOG.md.\n"


def test_after_a_release_a_new_section_begins(changelog: Any, tmp_path: Path) -> None:
    fragment = changelog.Fragment(tmp_path, "added", "New.")
    text = changelog.fold(CLOSED, [fragment], "0.2.0")
    assert text == CLOSED.replace(
        "## 0.1.0", "## 0.2.0 (not yet released)\n\n### Added\n\n- New.\n\n## 0.1.0"
    )
    assert changelog.newest(text) == ("0.2.0", "not yet released")
    assert changelog.fold(CLOSED, [], "0.2.0") == CLOSED


def test_a_release_closes_the_section(changelog: Any) -> None:
    text = changelog.close(OPEN, "0.2.0", dt.date(2026, 12, 1))
    assert changelog.newest(text) == ("0.2.0", "2026-12-01")
    with pytest.raises(changelog.ChangelogError, match="released already"):
        changelog.close(text, "0.2.0", dt.date(2026, 12, 1))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a__feature", "New.", "NAME.KIND.md"),
        ("Ünicode__added", "New.", "NAME.KIND.md"),
        ("a__added", "  \n", "one paragraph"),
        ("a__added", "One.\n\nTwo.", "one paragraph"),
        ("a__added", "- A bullet.", "one paragraph"),
        ("a__added", "## 9.9.9 (2026-01-01)", "one paragraph"),
        ("a__added", "No full stop", "full stop"),
    ],
)
def test_what_is_no_fragment_is_named_and_changes_nothing(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    root = tree(tmp_path, OPEN, z__added="Good.", **{name: content})
    done = call(root)
    assert done.returncode == 1
    assert said in done.stderr
    assert name.replace("__", ".") in done.stderr
    assert (root / "CHANGELOG.md").read_text() == OPEN
    assert (root / "changelog.d" / "z.added.md").exists()


@pytest.mark.parametrize(
    "text", ["", "# Changes\n", "# Changes\n\n## Soon\n", "Hello\n\n## 0.1.0 (2026-01-01)\n"]
)
def test_a_file_that_is_no_changelog_is_left_alone(tmp_path: Path, text: str) -> None:
    root = tree(tmp_path, text, a__added="New.")
    done = call(root)
    assert done.returncode == 1
    assert "must begin with" in done.stderr
    assert (root / "CHANGELOG.md").read_text() == text


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["added", "changed", "fixed", "removed", "security"]),
            st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=300)
            .map(lambda text: " ".join(text.split()))
            .filter(bool),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_folding_loses_no_word_and_keeps_what_was_there(changelog: Any, pairs: list[tuple[str, str]]) -> None:
    found = [changelog.Fragment(Path(), kind, f"{text}.") for kind, text in pairs]
    text = changelog.fold(OPEN, found, "0.3.0")
    joined = " ".join(text.split())
    assert all(f"- {fragment.text}" in joined for fragment in found)
    assert text.endswith("## 0.1.0 (2026-01-02)\n\n- Old.\n")
    assert changelog.newest(text) == ("0.2.0", "not yet released")
    # In two goes it comes to the same.
    assert changelog.fold(changelog.fold(OPEN, found[:1], "0.3.0"), found[1:], "0.3.0") == text
