"""Smoke checks as a spec declares them; running them is the room ``hotfix.smoke``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from hotfix.models import Frozen, Growing
from hotfix.spec.rules import (
    SENT,
    Complaint,
    Rule,
    any_case,
    between,
    complain,
    line,
    not_empty,
    quoted,
)
from hotfix.spec.secrets import TELLING, is_credential_header

KINDS = ("http", "tcp", "tls", "command", "manual")


def _url(value: str) -> Complaint | None:
    example = "Write one such as `https://app.example.com/health`."
    if not re.fullmatch(_URL, value):
        return f"{quoted(value)} is no http or https URL", example
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"{quoted(value)} is no http or https URL", example
    if parts.username is not None or parts.password is not None:
        return "the URL carries a user or a password", "Take it out: everybody reads a spec."
    return None if host else (f"{quoted(value)} names no host", example)


def _host(value: str) -> Complaint | None:
    if re.fullmatch(_HOST, value):
        return None
    return (
        f"{quoted(value)} is no host name or address",
        "Write the host alone, such as `app.example.com`; the port has a key of its own.",
    )


def _header_name(value: str) -> Complaint | None:
    if not re.fullmatch(_TOKEN, value):
        return f"{quoted(value)} is no name of a header", "Write one such as `Accept`."
    if is_credential_header(value):
        return (
            f"the header {quoted(value)} would carry a credential",
            "Take it out: everybody reads a spec. Check what needs none, or ask with `manual`.",
        )
    return None


def _jmespath(value: str) -> Complaint | None:
    import jmespath  # noqa: PLC0415  (most specs have none)

    try:
        jmespath.compile(value)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        why = str(error).splitlines()[0].rstrip(":. ")
        return f"{quoted(value)} is no JMESPath expression: {why}", "Write one such as `git.sha`."
    return None


def _lists(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Let a tuple be a JSON array, as it is everywhere else in a spec."""
    if isinstance(value, list | tuple):
        return [_lists(part) for part in value]
    if isinstance(value, Mapping):
        return {key: _lists(part) for key, part in value.items()}
    return value


_URL = r"^[hH][tT][tT][pP][sS]?://[^\s\u0000-\u0020\u007f\\]+$"
_HOST = r"^[A-Za-z0-9._-]{1,253}$|^\[?[0-9A-Fa-f:.]{2,45}\]?$"
_TOKEN = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$"  # noqa: S105  (RFC 9110's word for a name)

Url = Annotated[
    str, Rule(_url, {"pattern": _URL, "maxLength": 2048, "not": {"pattern": "://[^/?#]*@"}}), SENT
]
Host = Annotated[str, Rule(_host, {"pattern": _HOST}), SENT]
Port = Annotated[int, between(1, 65535, "the port")]
HeaderName = Annotated[
    str, Rule(_header_name, {"pattern": _TOKEN, "not": {"pattern": any_case(TELLING)}}), SENT
]
HeaderValue = Annotated[str, line("header's value", 4096), SENT]
Argument = Annotated[str, SENT]
JmesPath = Annotated[str, line("expression", 1000), Rule(_jmespath, {}), SENT]


class HttpCheck(Growing):
    """Ask a URL once, without following it elsewhere, and compare the answer."""

    says_nothing: ClassVar = {
        "jmespath": {},
        "answer_headers": {},
        "max_latency": None,
        "commit": None,
    }

    url: Url = Field(description="The address to ask, http or https, without user or password.")
    method: Literal["GET", "HEAD"] = Field(
        default="GET", description="The request's method; both change nothing there."
    )
    status: Annotated[int, between(100, 599, "the status")] = Field(
        default=200, description="The status that the answer must have."
    )
    json_subset: Annotated[Mapping[str, JsonValue], BeforeValidator(_lists), SENT] | None = Field(
        default=None,
        alias="json",
        description="What the answered JSON object must hold; other members may stand beside it.",
    )
    contains: Annotated[str, Field(min_length=1, max_length=4096), SENT] | None = Field(
        default=None, description="A text that must stand in the answer's body."
    )
    headers: Mapping[HeaderName, HeaderValue] = Field(
        default_factory=dict,
        description="Headers of the request; none that carries a credential.",
    )
    jmespath: Annotated[Mapping[JmesPath, JsonValue], BeforeValidator(_lists), SENT] = Field(
        default_factory=dict,
        description="What JMESPath expressions over the answered JSON must give.",
        examples=[{"services[?status != 'ok'] | length(@)": 0}],
    )
    answer_headers: Mapping[HeaderName, HeaderValue] = Field(
        default_factory=dict,
        description="Texts that must stand in these headers of the answer, case ignored.",
        examples=[{"Content-Type": "application/json"}],
    )
    max_latency: Annotated[int, between(1, 3_600_000, "the latency")] | None = Field(
        default=None, description="Milliseconds in which the whole answer must be there."
    )
    commit: JmesPath | None = Field(
        default=None,
        description="A JMESPath expression that must give the id of the commit that was deployed, "
        "seven digits of it or more: the hotfix's head, or after a rollback the known-good one.",
        examples=["git.sha"],
    )

    @property
    def looks_into_json(self) -> bool:
        """Tell whether the answer has to be JSON."""
        return self.json_subset is not None or bool(self.jmespath) or self.commit is not None

    @model_validator(mode="after")
    def _looks_where_something_is(self) -> Self:
        if self.method == "HEAD" and (self.looks_into_json or self.contains is not None):
            raise complain(
                "an answer to HEAD has no body to look into",
                "Use `method: GET`, or take `json`, `jmespath`, `commit` and `contains` away.",
            )
        return self


class TcpCheck(Frozen):
    """Open a connection, and close it again."""

    host: Host = Field(description="Host name or address.")
    port: Port = Field(description="The port that must accept the connection.")


class TlsCheck(Frozen):
    """Look at the certificate that a host shows."""

    host: Host = Field(description="Host name; the certificate must be valid for it.")
    port: Port = Field(default=443, description="The port that speaks TLS.")
    valid_days: Annotated[int, between(0, 3650, "the number of days")] = Field(
        default=1, description="For so many days the certificate must stay valid."
    )


class CommandCheck(Frozen):
    """Run a program of the operator's machine; only where the team's defaults allow it."""

    argv: Annotated[tuple[Argument, ...], not_empty("arguments", hint="Name the program.")] = Field(
        description="The program and its arguments, one text each; no shell reads them."
    )


class ManualCheck(Frozen):
    """Ask the operator, and record who answered what and when."""

    question: Annotated[str, line("question", 1000)] = Field(
        description="A question that yes or no answers."
    )


class SmokeCheck(Growing):
    """One check of the service in production after the deployment."""

    says_nothing: ClassVar = {"settle": 0.0}

    name: Annotated[str, line("check's name", 100)] = Field(
        description="What the record calls the check; once in a target."
    )
    http: HttpCheck | None = Field(default=None, description="Ask a URL.")
    tcp: TcpCheck | None = Field(default=None, description="Open a connection.")
    tls: TlsCheck | None = Field(default=None, description="Look at a certificate.")
    command: CommandCheck | None = Field(
        default=None, description="Run a program; needs policy.allow_commands in defaults.yaml."
    )
    manual: ManualCheck | None = Field(default=None, description="Ask the operator.")
    retries: Annotated[int, between(0, 100, "the number of retries")] = Field(
        default=3, description="How often a failed check is tried again."
    )
    delay: Annotated[float, between(0, 600, "the delay")] = Field(
        default=5.0, description="Seconds between two tries."
    )
    timeout: Annotated[float, between(0.1, 3600, "the timeout")] = Field(
        default=10.0, description="Seconds that one try may take."
    )
    settle: Annotated[float, between(0, 600, "the time")] = Field(
        default=0.0, description="Seconds to wait after the deployment before the first try."
    )
    only_for: Literal["hotfix", "rollback"] | None = Field(
        default=None, description="Run it on the way forward only, or on the way back only."
    )

    @property
    def kind(self) -> Literal["http", "tcp", "tls", "command", "manual"]:
        """Name the one kind that this check is of."""
        for kind in ("http", "tcp", "tls", "command"):
            if getattr(self, kind) is not None:
                return kind
        return "manual"

    def applies_to(self, way: Literal["hotfix", "rollback"]) -> bool:
        """Tell whether the check belongs to the way forward, or to the way back."""
        return self.only_for in (None, way)

    def once(self) -> Self:
        """Return the same check, to be tried a single time and at once."""
        return self.model_copy(update={"retries": 0, "settle": 0.0})

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        kinds = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(kinds) == 1:
            return self
        choice = "`http`, `tcp`, `tls`, `command` or `manual`"
        if kinds:
            named = " and ".join(f"`{kind}`" for kind in kinds)
            raise complain(f"a check is of one kind, not {named}", "Make a check of each.")
        raise complain("the check says nothing to do", f"Write one of {choice}.")


class ProductionVersion(Frozen):
    """Where the running service itself says which commit it was built from."""

    url: Url = Field(
        description="The address to ask, http or https, without user or password; it must answer "
        "200 with a JSON object.",
        examples=["https://core.example.com/version"],
    )
    json_path: JmesPath = Field(
        alias="json",
        description="Where in the answer the commit id stands, seven digits of it or more: a "
        "JMESPath expression.",
        examples=["git.sha"],
    )
