"""Reading CI files: rules, stages, inputs, and what makes no pipeline."""

from __future__ import annotations

import pytest

from hotfix.sandbox.ci import configuration
from hotfix.sandbox.ci_inputs import ConfigurationError
from hotfix.sandbox.ci_rules import holds


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('$A == "1"', True),
        ("$A == '2'", False),
        ('$A != "1"', False),
        ("$NONE == null", True),
        ("$NONE", False),
        ("$A", True),
        ('$A == "1" && $B == "x"', False),
        ('$A == "1" || $B == "x"', True),
        ('($A == "2" || $B == "2") && $A == "1"', True),
        ("$B =~ /^2$/", True),
        ("$C =~ /HOT/i", True),
        ("$C !~ /hot/", False),
        ('"x" == "x"', True),
    ],
)
def test_a_condition_holds_or_not(condition: str, *, expected: bool) -> None:
    assert holds(condition, {"A": "1", "B": "2", "C": "hotfix"}) is expected


@pytest.mark.parametrize("condition", ["$A ==", "== 1", "$A == (", '"a" "b"', "(", "$A = 1"])
def test_a_condition_that_cannot_be_read_makes_no_pipeline(condition: str) -> None:
    with pytest.raises(ConfigurationError, match="invalid expression syntax"):
        holds(condition, {})


def names(text: str, **variables: str) -> list[str]:
    return [job.name for job in configuration(text, inputs=None, variables=variables).jobs]


def test_jobs_come_in_the_order_of_their_stages() -> None:
    text = "stages: [a, b]\ntwo: {stage: b, script: x}\none: {stage: a, script: x}\n.hidden: {}\n"
    assert names(text) == ["one", "two"]


def test_rules_choose_jobs_and_make_them_manual() -> None:
    text = """
always: {script: x}
sometimes:
  script: x
  rules:
    - if: $GO == "yes"
      when: manual
    - if: $GO == "never"
      when: never
"""
    assert names(text, GO="no") == ["always"]
    assert names(text, GO="never") == ["always"]
    jobs = configuration(text, inputs=None, variables={"GO": "yes"}).jobs
    assert [(job.name, job.manual, job.allow_failure) for job in jobs] == [
        ("always", False, False),
        ("sometimes", True, False),
    ]


def test_a_plain_manual_job_may_fail_and_one_that_says_so_may_not() -> None:
    text = "one: {script: x, when: manual}\ntwo: {script: x, when: manual, allow_failure: false}"
    jobs = configuration(text, inputs=None, variables={}).jobs
    assert [job.allow_failure for job in jobs] == [True, False]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "Invalid configuration format"),
        ("[]", "Invalid configuration format"),
        ("a: {stage: none, script: x}", "chosen stage none does not exist"),
        (".a: {script: x}", "prevented any jobs"),
        ("workflow: {rules: [{if: $X}]}\na: {script: x}", "filtered out by workflow rules"),
        ("spec: {inputs: {}}\n---\na: {script: '$[[ inputs.x ]]'}", "unknown interpolation key"),
    ],
)
def test_what_makes_no_pipeline_says_why(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        configuration(text, inputs=None, variables={})


SPEC = """
spec:
  inputs:
    flag: {type: boolean, default: false}
    count: {type: number, default: 1}
    names: {type: array, default: []}
    tag: {regex: ^v, default: v1}
---
workflow: {name: "$[[ inputs.tag ]] of $CI_PROJECT_PATH"}
a:
  script:
    - echo "$[[ inputs.flag ]]"
  environment: prod/$[[ inputs.tag ]]
"""


def test_inputs_are_put_in_with_their_defaults() -> None:
    read = configuration(SPEC, inputs={"flag": True}, variables={"CI_PROJECT_PATH": "g/p"})
    assert read.inputs == {"flag": True, "count": 1, "names": [], "tag": "v1"}
    assert read.name == "v1 of g/p"
    assert read.jobs[0].script == ('echo "true"',)
    assert read.jobs[0].environment == "prod/v1"


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"count": True}, "not a number"),
        ({"count": "1"}, "not a number"),
        ({"names": "x"}, "not an array"),
        ({"flag": 1}, "not a boolean"),
        ({"tag": "1"}, "does not match required RegEx"),
    ],
)
def test_an_input_of_another_type_is_refused(inputs: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        configuration(SPEC, inputs=inputs, variables={})
