"""How each of the example's services came to where it stands.

All have the same shape: something runs in production, ``release`` has gone on with work that only
staging has seen, and the hotfix is merged to ``main``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotfix.sandbox.seed_files import config, module, service, tests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hotfix.sandbox.builder import WorldBuilder
    from hotfix.sandbox.merge_requests import MergeRequest
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.repositories import File
    from hotfix.sandbox.users import Group, User


@dataclass(frozen=True, slots=True)
class People:
    """Who acts in the stories."""

    operator: User
    author: User
    reviewer: User
    reader: User


class Storyteller:
    """One project's story: the same few sentences, again and again."""

    def __init__(
        self, builder: WorldBuilder, project: Project, orchestrator: Project, people: People
    ) -> None:
        """Tell of a project."""
        self.builder = builder
        self.project = project
        self.orchestrator = orchestrator
        self.people = people

    def merged(
        self,
        iid: int,
        title: str,
        commits: Mapping[str, Mapping[str, str | bytes | File | None]],
        *,
        approved: bool = True,
        squash: bool = False,
        description: str = "",
    ) -> MergeRequest:
        """Have a merge request opened by the author, approved by the reviewer, and merged."""
        people = self.people
        request = self.builder.merge_request(
            self.project,
            iid,
            title,
            commits,
            author=people.author,
            description=description,
            squash=squash,
        )
        if approved:
            self.builder.approve(request, people.reviewer)
        self.builder.merge(request, people.operator)
        return request

    def first_release(self) -> None:
        """Cut ``release`` off ``main``, and bring it to production."""
        self.builder.branch(self.project, "release")
        self.release(to_production=True)

    def cut_off(self, *, to_production: bool = False) -> None:
        """Merge ``main`` into ``release``, and bring that to staging or on to production."""
        self.builder.merge_branch(self.project, "main", "release", self.people.operator)
        self.release(to_production=to_production)

    def release(self, *, to_production: bool) -> None:
        """Run the guided pipeline, and press the manual job or leave it."""
        operator = self.people.operator
        pipeline = self.builder.orchestrate(self.orchestrator, self.project, operator)
        if to_production:
            self.builder.deploy(pipeline, operator)
        self.builder.wait(days=4)


def incidents(builder: WorldBuilder, orchestrator: Project, people: People) -> None:
    """Tell of two incidents of the past."""
    old = builder.incident(
        orchestrator,
        1040,
        "Exports are late",
        "The nightly export finished at noon.\n\n/severity low",
        author=people.operator,
    )
    old.state, old.closed_at, old.closed_by = "closed", builder.clock.now(), people.operator
    builder.incident(
        orchestrator,
        1041,
        "Invoices show the wrong currency",
        "Seen by two customers.\n\n/severity medium\n/label ~billing",
        author=people.reviewer,
    )


def manage_core(builder: WorldBuilder, group: Group, orchestrator: Project, people: People) -> None:
    """Tell of ``bf-manage-core``: merge commits, and a rollback to an older deployment record.

    The hotfix is !812 and !815. !799, !803, !806 and !809 are unreleased; !799 was in production
    for an hour, and was rolled back by pressing the job of the pipeline before, so that the newest
    successful deployment by number is not the one that is live. !817 is not approved, !819 stands
    on !806, !821 is open.
    """
    modules = {
        "chargers": ("register", "unregister", "describe"),
        "ocpp/heartbeat": ("receive", "expire", "schedule"),
        "ocpp/messages": ("encode", "decode"),
        "sessions": ("start", "stop", "resume"),
        "tariffs": ("price", "round_up"),
    }
    project = builder.project(
        group,
        "bf-manage-core",
        service("manage-core", modules),
        creator=people.operator,
        description="Charging sessions and the chargers' protocol",
    )
    project.settings.ci_forward_deployment_enabled = False
    tell = Storyteller(builder, project, orchestrator, people)
    source = "src/manage_core"
    tell.first_release()
    sessions = dict.fromkeys(modules["sessions"], "return dict(event, session=event.get('id'))")
    tell.merged(
        784,
        "feat: remember the session of an event",
        {
            "feat: remember the session of an event": {
                f"{source}/sessions.py": module("sessions", modules["sessions"], **sessions)
            }
        },
    )
    builder.merge_branch(project, "main", "release", people.operator)
    good = builder.orchestrate(orchestrator, project, people.operator)
    builder.wait(days=2)
    tell.merged(
        799,
        "feat: price sessions by the minute",
        {
            "feat: price by the minute": {
                f"{source}/tariffs.py": module(
                    "tariffs", modules["tariffs"], price="return dict(event, unit='minute')"
                )
            },
            "docs: say how sessions are priced": {
                "docs/tariffs.md": "# Tariffs\n\nSessions are priced by the minute.\n"
            },
        },
    )
    tell.cut_off(to_production=True)
    builder.deploy(good, people.operator)
    builder.wait(days=1)
    _unreleased_core(tell, modules)
    tell.cut_off()
    _merged_core(tell, modules)


def _unreleased_core(tell: Storyteller, modules: Mapping[str, tuple[str, ...]]) -> None:
    source = "src/manage_core"
    tell.merged(
        803,
        "feat: refresh tariffs every quarter of an hour",
        {
            "feat: refresh tariffs more often": {
                "config/default.yaml": config("manage-core", tariffs__refresh=900)
            }
        },
    )
    tell.merged(
        806,
        "feat: reservations",
        {
            "feat: reserve a charger": {
                f"{source}/reservations.py": module("reservations", ("reserve", "release"))
            },
            "test: reservations": {
                "tests/test_reservations.py": tests(
                    "manage_core", "reservations", ("reserve", "release")
                )
            },
        },
    )
    tell.merged(
        809,
        "refactor: one place for OCPP messages",
        {
            "refactor: messages know their version": {
                f"{source}/ocpp/messages.py": module(
                    "ocpp/messages", (*modules["ocpp/messages"], "version")
                ),
                "docs/images/flow.png": b"\x89PNG\r\n\x1a\n\0\0 another picture",
            }
        },
    )


def _merged_core(tell: Storyteller, modules: Mapping[str, tuple[str, ...]]) -> None:
    source, builder, project = "src/manage_core", tell.builder, tell.project
    heartbeat = modules["ocpp/heartbeat"]
    tell.merged(
        812,
        "fix: keep OCPP connections that send heartbeats",
        {
            "fix: a heartbeat postpones the expiry": {
                f"{source}/ocpp/heartbeat.py": module(
                    "ocpp/heartbeat",
                    heartbeat,
                    receive="return {**event, 'receive': True, 'expires_in': 90}",
                )
            },
            "test: a heartbeat postpones the expiry": {
                "tests/test_ocpp_heartbeat_expiry.py": (
                    "from manage_core.ocpp.heartbeat import receive\n\n\n"
                    "def test_a_heartbeat_postpones_the_expiry():\n"
                    "    assert receive({})['expires_in'] == 90\n"
                )
            },
        },
        description="Chargers were dropped after 30 s.\n\nRelated to evenergi/develop#1042",
    )
    tell.merged(
        815,
        "fix: idle timeout of OCPP sessions",
        {
            "fix: wait 90 s before a session is idle": {
                # !803 changed another part of this file, and is not released.
                "config/default.yaml": config(
                    "manage-core", tariffs__refresh=900, session__idle_timeout=90
                )
            }
        },
    )
    tell.merged(
        817,
        "fix: describe chargers without a name",
        {
            "fix: describe chargers without a name": {
                f"{source}/chargers.py": module(
                    "chargers", modules["chargers"], describe="return {'name': '', **event}"
                )
            }
        },
        approved=False,
    )
    tell.merged(
        819,
        "fix: a reservation ends with its session",
        {
            "fix: a reservation ends with its session": {
                f"{source}/reservations.py": module(
                    "reservations", ("reserve", "release"), release="return {}"
                )
            }
        },
    )
    opened = builder.merge_request(
        project,
        821,
        "fix: retry a lost boot notification",
        {
            "fix: retry a lost boot notification": {
                f"{source}/ocpp/boot.py": module("ocpp/boot", ("notify",))
            }
        },
        author=tell.people.author,
    )
    builder.approve(opened, tell.people.reviewer)


def billing(builder: WorldBuilder, group: Group, orchestrator: Project, people: People) -> None:
    """Tell of ``bf-billing``: squash and fast-forward, a rollback with GitLab's own button.

    The hotfix is !412, two commits squashed into one. !405 and !408 are unreleased. Its pipelines
    count as passed while the production job has not been pressed.
    """
    modules = {
        "currencies": ("convert", "symbol"),
        "invoices": ("draft", "issue", "cancel"),
        "ledger_client": ("book",),
        "payments": ("collect", "refund"),
    }
    files = service("billing", modules, blocking=False)
    project = builder.project(
        group, "bf-billing", files, creator=people.operator, merge_method="ff"
    )
    project.settings.squash_option = "default_on"
    tell = Storyteller(builder, project, orchestrator, people)
    tell.first_release()
    good = project.pipelines[-1]
    symbol = module("currencies", modules["currencies"], symbol="return {'symbol': '$'}")
    path = "src/billing/currencies.py"
    tell.merged(
        405, "feat: currency symbols", {"feat: currency symbols": {path: symbol}}, squash=True
    )
    tell.cut_off(to_production=True)
    builder.redeploy(good, people.operator)
    partial = module("payments", (*modules["payments"], "refund_part"))
    tell.merged(
        408,
        "feat: refund a part",
        {"feat: refund a part": {"src/billing/payments.py": partial}},
        squash=True,
    )
    tell.cut_off()
    invoices = module("invoices", modules["invoices"], issue="return {**event, 'issue': 'once'}")
    tell.merged(
        412,
        "fix: invoices are issued once",
        {
            "fix: look before an invoice is issued": {"src/billing/invoices.py": invoices},
            "docs: invoices are issued once": {
                "docs/invoices.md": "# Invoices\n\nThey are issued once.\n"
            },
        },
        squash=True,
    )


def portal(builder: WorldBuilder, group: Group, orchestrator: Project, people: People) -> None:
    """Tell of ``bf-portal``: fast-forward without squash.

    The hotfix is !233, three commits, and !236, one commit. !228 is unreleased.
    """
    modules = {
        "accounts": ("sign_in", "sign_out"),
        "pages/dashboard": ("show", "widgets"),
        "pages/invoices": ("show", "download"),
        "pages/profile": ("show", "save"),
    }
    files = service("portal", modules)
    project = builder.project(group, "bf-portal", files, creator=people.operator, merge_method="ff")
    tell = Storyteller(builder, project, orchestrator, people)
    tell.first_release()
    dark = module("pages/profile", (*modules["pages/profile"], "dark_mode"))
    tell.merged(228, "feat: dark mode", {"feat: dark mode": {"src/portal/pages/profile.py": dark}})
    tell.cut_off()
    accounts = module("accounts", modules["accounts"], sign_in="return {**event, 'once': True}")
    tell.merged(
        233,
        "fix: sign in with a stale cookie",
        {
            "fix: drop a stale cookie": {"src/portal/accounts.py": accounts},
            "test: drop a stale cookie": {
                "tests/test_stale_cookie.py": "def test_stale_cookie():\n    assert True\n"
            },
            "docs: cookies": {"docs/cookies.md": "# Cookies\n\nStale ones are dropped.\n"},
        },
    )
    download = module(
        "pages/invoices", modules["pages/invoices"], download="return {**event, 'type': 'pdf'}"
    )
    tell.merged(
        236,
        "fix: download invoices as PDF",
        {"fix: download invoices as PDF": {"src/portal/pages/invoices.py": download}},
    )


def gateway(builder: WorldBuilder, group: Group, orchestrator: Project, people: People) -> None:
    """Tell of ``bf-gateway``: semi-linear history, a merge commit over rebased commits.

    The hotfix is !97, two commits. !91 and !94 are unreleased.
    """
    modules = {
        "limits": ("count", "reset"),
        "proxy": ("forward", "retry"),
        "routes": ("match", "rewrite"),
    }
    files = service("gateway", modules)
    project = builder.project(
        group, "bf-gateway", files, creator=people.operator, merge_method="rebase_merge"
    )
    tell = Storyteller(builder, project, orchestrator, people)
    tell.first_release()
    tell.merged(
        91,
        "feat: limits by customer",
        {
            "feat: limits by customer": {
                "src/gateway/limits.py": module("limits", (*modules["limits"], "by_customer"))
            }
        },
    )
    tell.merged(
        94,
        "feat: metrics",
        {"feat: metrics": {"src/gateway/metrics.py": module("metrics", ("observe",))}},
    )
    tell.cut_off()
    proxy = module("proxy", modules["proxy"], retry="return {**event, 'retry': False}")
    request = builder.merge_request(
        project,
        97,
        "fix: do not retry what is not idempotent",
        {
            "fix: do not retry writes": {"src/gateway/proxy.py": proxy},
            "docs: what is retried": {"docs/retries.md": "# Retries\n\nReads only.\n"},
        },
        author=people.author,
    )
    # Something else is merged first, so that this one is rebased.
    tell.merged(
        98,
        "docs: name the owners",
        {"docs: name the owners": {"docs/owners.md": "# Owners\n\nThe platform team.\n"}},
    )
    builder.approve(request, people.reviewer)
    builder.merge(request, people.operator)


def ledger(builder: WorldBuilder, group: Group, orchestrator: Project, people: People) -> None:
    """Tell of ``bf-ledger``: production is what ``release`` holds, so nothing is to be restored.

    The hotfix is !54, a merge commit over a squash.
    """
    modules = {
        "accounts": ("open_account", "close_account"),
        "bookings": ("book", "reverse"),
        "reports": ("balance", "statement"),
    }
    project = builder.project(
        group, "bf-ledger", service("ledger", modules), creator=people.operator
    )
    tell = Storyteller(builder, project, orchestrator, people)
    tell.first_release()
    statement = module("reports", modules["reports"], statement="return {**event, 'pages': 1}")
    tell.merged(51, "feat: statements", {"feat: statements": {"src/ledger/reports.py": statement}})
    tell.cut_off(to_production=True)
    bookings = module("bookings", modules["bookings"], reverse="return {**event, 'sign': -1}")
    tell.merged(
        54,
        "fix: reversals keep their sign",
        {
            "fix: reversals keep their sign": {"src/ledger/bookings.py": bookings},
            "test: reversals keep their sign": {
                "tests/test_reversals.py": "def test_reversals():\n    assert True\n"
            },
        },
        squash=True,
    )


STORIES: Final[dict[str, Callable[[WorldBuilder, Group, Project, People], None]]] = {
    "evenergi/bf-manage-core": manage_core,
    "evenergi/bf-billing": billing,
    "evenergi/bf-portal": portal,
    "evenergi/bf-gateway": gateway,
    "evenergi/bf-ledger": ledger,
}
TARGETS: Final = tuple(STORIES)
