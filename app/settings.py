"""Every setting of the software, each described; all are read from `OPENQI_*` variables."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """The configuration of one process. Production refuses what only development may use."""

    model_config = SettingsConfigDict(env_prefix="OPENQI_", extra="ignore")

    environment: Literal["development", "production"] = Field(
        default="development",
        description="`production` refuses a generated signing key and a weak password hash.",
    )
    database_url: str = Field(
        default="sqlite:///openqi.db",
        description="SQLAlchemy URL: `sqlite:///file.db` or `postgresql://user:password@host/name`.",
    )
    database_read_url: str | None = Field(
        default=None, description="A read replica of the same database, for read sessions."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Where clients reach this server; issuer of its tokens.",
    )
    signing_key_file: Path = Field(
        default=Path("openqi-signing-key.pem"),
        description="ES256 private key (PEM). Made on first start, mode 0600, in development only.",
    )
    signing_key: SecretStr | None = Field(
        default=None, description="The same key as PEM text; wins over the file."
    )
    access_token_minutes: int = Field(
        default=60, ge=1, le=1440, description="Life of an access token, in minutes."
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Origins of browser front ends, separated by commas, such as `https://qi.example`.",
    )
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Addresses of reverse proxies whose X-Forwarded-For is believed, by commas.",
    )
    max_body_bytes: int = Field(
        default=1_000_000, ge=10_000, description="Largest request body; bulk routes take 5 MB."
    )
    login_attempts: int = Field(
        default=10, ge=1, description="Failed logins an account or address may make in 15 minutes."
    )
    password_memory_kib: int = Field(
        default=19_456,
        ge=8,
        description="Memory of one argon2id hash, in KiB (OWASP minimum 19456).",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least severe level that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json` for machines, `console` for people."
    )
    organisation_name: str = Field(
        default="OpenQI", description="Shown as the title of the API and its docs page."
    )

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("cors_origins")
    @classmethod
    def _no_wildcard(cls, origins: list[str]) -> list[str]:
        if any("*" in origin or origin.endswith("/") for origin in origins):
            raise ValueError("list whole origins without a wildcard or a final slash")
        return origins

    @model_validator(mode="after")
    def _refuse_weak_production(self) -> Self:
        if self.environment == "production":
            if self.signing_key is None and not self.signing_key_file.exists():
                raise ValueError(
                    "production needs OPENQI_SIGNING_KEY or OPENQI_SIGNING_KEY_FILE: "
                    "a generated signing key is refused"
                )
            if self.password_memory_kib < 19_456:
                raise ValueError("production needs OPENQI_PASSWORD_MEMORY_KIB of at least 19456")
        return self
