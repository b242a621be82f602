"""A sandbox whose every exchange is checked against GitLab's API document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gitlab
import pytest
import requests

from hotfix.sandbox import Sandbox, seed
from tests.contract import PREFIX, Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotfix.clock import Clock
    from hotfix.sandbox.world import World

Json = Any
"""What an answer holds."""


class Client:
    """A plain HTTP client with one user's token."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.url = sandbox.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["PRIVATE-TOKEN"] = seed.TOKENS.get(name, name)

    def send(self, method: str, path: str, **arguments: Json) -> requests.Response:
        return self.session.request(method, f"{self.url}{PREFIX}{path}", timeout=10, **arguments)

    def get(self, path: str, **query: Json) -> Json:
        response = self.send("GET", path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, **body: Json) -> requests.Response:
        return self.send("POST", path, json=body)

    def put(self, path: str, **body: Json) -> requests.Response:
        return self.send("PUT", path, json=body)

    def graphql(self, query: str, **variables: Json) -> Json:
        body = {"query": query, "variables": variables}
        response = self.session.post(f"{self.url}/api/graphql", json=body, timeout=10)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def world(clock: Clock) -> World:
    return seed.example(clock=clock, pace=1.0)


@pytest.fixture
def contract() -> Contract:
    return Contract()


@pytest.fixture
def sandbox(world: World, contract: Contract) -> Iterator[Sandbox]:
    with Sandbox(world) as served:
        yield served
    for exchange in served.requests:
        contract.check(exchange)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox, "operator")
    yield made
    made.session.close()


@pytest.fixture
def as_user(sandbox: Sandbox) -> Iterator[Callable[[str], Client]]:
    """Make a client with another user's token."""
    made: list[Client] = []

    def make(name: str) -> Client:
        made.append(Client(sandbox, name))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.fixture
def gl(sandbox: Sandbox) -> Iterator[gitlab.Gitlab]:
    with gitlab.Gitlab(sandbox.url, private_token=seed.TOKENS["operator"], timeout=10) as made:
        made.session.trust_env = False
        yield made
