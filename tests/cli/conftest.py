"""The program as a user types it, in an empty folder with an empty cache."""

import pytest

from rldf.cli.main import main


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Run the program in tmp_path / "here"; gives exit code, stdout, stderr."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("RLDF_CACHE", str(tmp_path / "cache"))

    def run(*words):
        monkeypatch.setattr("sys.argv", ["rldf", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run
