"""What the API answers becomes JSON, or a failure in words."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from compose.cli.client import Client
from compose.cli.failure import CommandFailure
from compose.cli.polling import follow, wait_for_dataset

URL = "http://127.0.0.1:8080"
Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer) -> Client:
    return Client(URL, "hr_key", httpx.MockTransport(answer), sleep=lambda _: None)


def refused(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused")


def test_the_key_and_the_given_filters_are_sent() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer hr_key"
        assert str(request.url) == f"{URL}/v1/usage?window=day"
        return httpx.Response(200, json={"data": []})

    with client(answer) as api:
        assert api.get("/v1/usage", window="day", meter=None) == {"data": []}


def test_a_file_is_sent_as_a_form_and_a_pipe_as_it_comes(tmp_path: Path) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        sent.append(request)
        return httpx.Response(202, json={})

    file = tmp_path / "iris.csv"
    file.write_bytes(b"a,b\n1,2\n")
    with client(answer) as api, subprocess.Popen(["cat", file], stdout=subprocess.PIPE) as piping:
        assert piping.stdout is not None
        said = {"name": "iris", "missing": ["NA", "-"], "types": ["zip:text"]}
        api.upload("/v1/datasets", file, said)
        api.upload("/v1/datasets", Path(f"/dev/fd/{piping.stdout.fileno()}"), said)
    form, pipe = sent
    assert form.headers["content-type"].startswith("multipart/form-data")
    assert b'filename="iris.csv"' in form.content
    assert form.content.count(b'name="missing"') == 2
    assert pipe.url.params.get_list("missing") == ["NA", "-"]
    assert (pipe.content, pipe.headers["transfer-encoding"]) == (b"a,b\n1,2\n", "chunked")
    assert (pipe.headers["content-type"], pipe.url.params["name"]) == ("text/csv", "iris")


def test_a_refusal_has_code_message_and_trace() -> None:
    problem = {
        "code": "not_found",
        "message": "There is no such job.",
        "trace_id": "abc",
        "details": {},
    }
    with (
        client(lambda _: httpx.Response(404, json=problem)) as api,
        pytest.raises(CommandFailure) as caught,
    ):
        api.get("/v1/jobs/1")
    assert caught.value.lines == ("headrace: not_found: There is no such job.", "  trace id abc")
    assert caught.value.exit_code == 1


def test_an_answer_that_is_not_ours_is_told_with_its_status() -> None:
    with (
        client(lambda _: httpx.Response(418, text="<html>")) as api,
        pytest.raises(CommandFailure, match="answers 418"),
    ):
        api.get("/v1/jobs")
    with (
        client(lambda _: httpx.Response(200, text="<html>")) as api,
        pytest.raises(CommandFailure, match="is it Headrace"),
    ):
        api.get("/v1/jobs")


def test_an_api_that_is_not_there_is_told_with_what_to_do() -> None:
    with client(refused) as api, pytest.raises(CommandFailure) as caught:
        api.post("/v1/jobs", {})
    assert f"the API at {URL} does not answer; is the stack up?" in caught.value.lines[0]
    assert "  headrace up" in caught.value.lines


def test_patience_waits_for_an_api_that_is_started_again() -> None:
    statuses = iter([None, 503, 200])

    def answer(request: httpx.Request) -> httpx.Response:
        status = next(statuses)
        return (
            refused(request) if status is None else httpx.Response(status, json={"state": "queued"})
        )

    with client(answer) as api:
        assert api.get("/v1/jobs/1", patience_seconds=60) == {"state": "queued"}


def test_watching_ends_when_every_job_is_over() -> None:
    states = {
        "/v1/jobs/a": iter(["queued", "running", "succeeded"]),
        "/v1/jobs/b": iter(["failed"]),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json={"id": request.url.path, "state": next(states[request.url.path])}
        )

    with client(answer) as api:
        seen = [
            {name: job["state"] for name, job in jobs.items()}
            for jobs in follow(api, ["a", "b"], sleep=no_sleep)
        ]
    assert seen == [
        {"a": "queued", "b": "failed"},
        {"a": "running", "b": "failed"},
        {"a": "succeeded", "b": "failed"},
    ]


def test_watching_gives_up_when_told_to() -> None:
    stuck = {"id": "a", "state": "queued"}
    with (
        client(lambda _: httpx.Response(200, json=stuck)) as api,
        pytest.raises(CommandFailure, match="job a is queued"),
    ):
        list(follow(api, ["a"], 0.0, sleep=no_sleep))


def test_a_data_set_is_waited_for() -> None:
    states = iter(["submitted", "submitted", "rejected"])
    with client(lambda _: httpx.Response(200, json={"state": next(states)})) as api:
        assert wait_for_dataset(api, "d", 60.0, sleep=no_sleep) == {"state": "rejected"}


def no_sleep(_: float) -> None:
    pass
