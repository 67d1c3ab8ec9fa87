"""Every setting of the software, each described; all are read from `OPENQI_*` variables."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """The configuration of one process. Production refuses what only development may use."""

    # An empty variable states nothing: a file of deployment can pass every name on.
    model_config = SettingsConfigDict(env_prefix="OPENQI_", extra="ignore", env_ignore_empty=True)

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
        default=1_000_000,
        ge=10_000,
        description="Largest request body; bulk routes take 5 MB, imports 20 MB.",
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
    sealing_key: SecretStr | None = Field(
        default=None,
        description="Seals stored secrets (32 characters or more); else made of the signing key.",
    )
    worker: bool = Field(
        default=True, description="Whether `serve` works off jobs too; always so with SQLite."
    )
    job_lease_seconds: float = Field(
        default=60.0,
        ge=2.0,
        le=3600.0,
        description="How long a job stays with a worker that has died, in seconds.",
    )
    webhook_allow_nets: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Private networks that outgoing calls may reach, such as `10.20.0.0/16`.",
    )
    webhook_allow_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Names whose addresses are not checked, by commas."
    )
    webhook_allow_http: bool = Field(
        default=False, description="Allow `http://` targets of outgoing calls too."
    )
    webhook_proxy: str | None = Field(
        default=None,
        description="Proxy of outgoing calls; it must check the addresses by itself.",
    )
    webhook_retry_seconds: Annotated[list[float], NoDecode] = Field(
        default=[5, 300, 1_800, 7_200, 18_000, 36_000, 36_000],
        description="Waits between the attempts of a delivery, in seconds.",
    )
    delivery_days: int = Field(
        default=30, ge=1, le=90, description="Days that deliveries are kept and can be replayed."
    )
    inbound_days: int = Field(  # at least a week: senders try again for days
        default=90, ge=7, le=3_650, description="Days that the log of received messages is kept."
    )
    integration_messages_a_minute: int = Field(
        default=600,
        ge=1,
        le=1_000_000,
        description="Signed messages that a process takes of one integration in a minute.",
    )
    stream_viewers: int = Field(
        default=500, ge=1, le=10_000, description="Open streams of events at a process at most."
    )
    stream_viewers_per_user: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="Those of one user, with all logins and tokens together.",
    )
    smtp_host: str | None = Field(
        default=None, description="Mail server; without one, mail is written as files."
    )
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Port of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to the mail server is protected."
    )
    smtp_user: str | None = Field(default=None, description="User at the mail server.")
    smtp_password: SecretStr | None = Field(default=None, description="Password of that user.")
    mail_from: str = Field(
        default="OpenQI <openqi@localhost>", description="Sender of mail, as people see it."
    )
    mail_folder: Path = Field(
        default=Path("openqi-mail"), description="Where mail is written without a mail server."
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token of `/metrics`; without one, this machine only."
    )
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Port where `openqi worker` serves `/metrics`; without one it does not.",
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address that this port listens on.")
    traces: bool = Field(
        default=False, description="Send traces by OpenTelemetry, set up by its OTEL_* variables."
    )

    @field_validator(
        "cors_origins",
        "trusted_proxies",
        "webhook_allow_nets",
        "webhook_allow_hosts",
        "webhook_retry_seconds",
        mode="before",
    )
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("webhook_allow_nets")
    @classmethod
    def _are_networks(cls, named: list[str]) -> list[str]:
        for each in named:
            ip_network(each)  # its ValueError says what is wrong
        return named

    @field_validator("sealing_key")
    @classmethod
    def _is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < 32:
            raise ValueError("give at least 32 characters")
        return key

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
