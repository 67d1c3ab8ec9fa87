"""Settings: production refuses what only development may use; the README lists them all."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.identity.keys import generate_key
from app.main import create_app
from app.settings import Settings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def test_the_readme_lists_every_setting_with_its_description() -> None:
    rows = re.findall(r"^\| `(OPENQI_[A-Z_]+)` \|[^|]*\| (.+) \|$", README.read_text(), re.M)
    assert rows == [
        (f"OPENQI_{name}".upper(), field.description)
        for name, field in Settings.model_fields.items()
    ]


def test_they_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENQI_CORS_ORIGINS", "https://a.example, https://b.example ,")
    monkeypatch.setenv("OPENQI_LOGIN_ATTEMPTS", "3")
    settings = Settings()
    assert settings.cors_origins == ["https://a.example", "https://b.example"]
    assert settings.login_attempts == 3


@pytest.mark.parametrize("origin", ["*", "https://*.example", "https://a.example/"])
def test_an_origin_is_whole(origin: str) -> None:
    with pytest.raises(ValidationError, match="whole origins"):
        Settings(cors_origins=[origin])


def _production(tmp_path: Path, **over: Any) -> Settings:
    values: dict[str, Any] = {
        "environment": "production",
        "signing_key": generate_key(),
        "signing_key_file": tmp_path / "absent.pem",
    }
    return Settings(**(values | over))


def test_production_needs_a_key_of_its_own(tmp_path: Path) -> None:
    assert _production(tmp_path).environment == "production"
    with pytest.raises(ValidationError, match="OPENQI_SIGNING_KEY"):
        _production(tmp_path, signing_key=None)
    (tmp_path / "key.pem").write_text(generate_key())
    settings = _production(tmp_path, signing_key=None, signing_key_file=tmp_path / "key.pem")
    assert settings.signing_key is None


def test_production_needs_a_costly_hash(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="OPENQI_PASSWORD_MEMORY_KIB"):
        _production(tmp_path, password_memory_kib=64)


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    assert "PRIVATE KEY" not in repr(_production(tmp_path))


def test_the_name_of_the_organisation_is_the_title_of_the_api(settings: Settings) -> None:
    named = settings.model_copy(update={"organisation_name": "Elmtree Hub (fictional)"})
    assert create_app(named).openapi()["info"]["title"] == "Elmtree Hub (fictional)"


def test_the_image_writes_nothing_beside_its_data() -> None:
    """Its working directory belongs to another user, and a relative default would lead there."""
    environment = dict(re.findall(r"(OPENQI_[A-Z_]+)=([^ \n]+)", (ROOT / "Dockerfile").read_text()))
    files = [name for name, field in Settings.model_fields.items() if field.annotation is Path]
    assert len(files) == 2
    for name in files:
        assert environment[f"OPENQI_{name}".upper()].startswith("/data/"), name


def _composed() -> dict[str, str]:
    """What the compose file sets, as written there."""
    return dict(
        re.findall(r"(?m)^    (OPENQI_[A-Z_]+): (.+)$", (ROOT / "compose.yaml").read_text())
    )


def test_the_compose_file_passes_every_setting_on() -> None:
    composed, names = _composed(), [f"OPENQI_{name}".upper() for name in Settings.model_fields]
    # The key is a file there, the commands say who works, and only workers have a port for metrics.
    left_out = {"SIGNING_KEY", "WORKER", "METRICS_HOST", "METRICS_PORT"}
    assert set(names) - set(composed) == {f"OPENQI_{name}" for name in left_out}
    passed = [name for name, value in composed.items() if value == f"${{{name}:-}}"]
    decided = {"ENVIRONMENT", "DATABASE_URL", "SIGNING_KEY_FILE", "MAIL_FOLDER"}
    assert set(composed) - set(passed) == {f"OPENQI_{name}" for name in decided}
    assert passed == [name for name in names if name in passed]


def test_what_is_passed_on_empty_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings()
    for name in _composed():
        monkeypatch.setenv(name, "")
    assert Settings() == before
