"""How GitLab says no: a status and one of the shapes of its error bodies."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):  # noqa: N818 - GitLab's answer, not a defect of ours
    """A request that GitLab does not carry out."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def unauthorized() -> Refusal:
    """Answer a missing or unknown token."""
    return Refusal(401, {"message": "401 Unauthorized"})


def insufficient_scope(scope: str) -> Refusal:
    """Answer a token whose scopes do not cover the request."""
    return Refusal(
        403,
        {
            "error": "insufficient_scope",
            "error_description": (
                "The request requires higher privileges than provided by the access token."
            ),
            "scope": scope,
        },
    )


def forbidden(reason: str = "") -> Refusal:
    """Answer a caller whose role is too low."""
    return Refusal(403, {"message": f"403 Forbidden - {reason}" if reason else "403 Forbidden"})


def not_found(thing: str = "") -> Refusal:
    """Answer what is absent, or hidden from the caller: GitLab does not tell these apart."""
    return Refusal(404, {"message": f"404 {thing} Not Found" if thing else "404 Not found"})


def bad_request(message: str | list[str] | dict[str, list[str]], **more: str) -> Refusal:
    """Answer a request that GitLab understands and declines."""
    return Refusal(400, {"message": message, **more})


def invalid(parameter: str, problem: str) -> Refusal:
    """Answer a parameter that GitLab's parameter check declines, such as ``ref is missing``."""
    return Refusal(400, {"error": f"{parameter} {problem}"})
