"""The composite resource: up to 25 calls in one, later ones referring to what earlier ones answered."""

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sandbox.salesforce.calls import Answer, Call, Handler, refused
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.rows import Rows
from sandbox.streamed import Content

_MOST_CALLS = 25
_MOST_GRAPHS, _MOST_NODES = 75, 500
_MOST_QUERIES = 5
_CARRIERS = ("composite", "composite/batch", "composite/graph")
_REFERENCE = re.compile(r"@\{([A-Za-z][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*|\[\d+\])*)\}")
_PATH = re.compile(r"/services/data/v(\d+\.\d+)/(.*)")
_ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."


class _RollBack(Exception):
    """One part failed and all parts are to be undone; carries the failed part's place."""


class Composite:
    """Carry out the parts of a composite call through the same handler that serves them alone."""

    def __init__(self, rows: Rows, handle: Handler) -> None:
        self._rows = rows
        self._handle = handle

    def run(self, call: Call) -> Answer:
        """POST /composite."""
        parts = _checked_parts(call.fields())
        answers: list[Answer] = []
        if not call.fields().get("allOrNone"):
            self._run_parts(call, parts, answers)
        else:
            self._run_all_or_none(call, parts, answers)
        told = [_told(part, answer) for part, answer in zip(parts, answers, strict=True)]
        return Answer(200, {"compositeResponse": told})

    def batch(self, call: Call) -> Answer:
        """POST /composite/batch: calls that know nothing of each other."""
        parts = call.fields().get("batchRequests")
        if not isinstance(parts, list) or not all(_is_subrequest(part) for part in parts):
            raise SalesforceError("JSON_PARSER_ERROR", "batchRequests must be a list of subrequests")
        if len(parts) > _MOST_CALLS:
            raise SalesforceError("LIMIT_EXCEEDED", f"Batch request can't have more than {_MOST_CALLS} subrequests")
        results: list[dict[str, Any]] = []
        for part in parts:
            if call.fields().get("haltOnError") and results and results[-1]["statusCode"] >= 400:
                halted = SalesforceError("BATCH_PROCESSING_HALTED", "Batch processing halted per request")
                results.append({"statusCode": 412, "result": halted.as_body()})
                continue
            url = str(part["url"]).removeprefix("/services/data/").lstrip("/")
            whole = {"method": part.get("method", "GET"), "url": f"/services/data/{url}"}
            answer = self._answered(call, whole | {"body": part.get("richInput")}, {})
            results.append({"statusCode": answer.status, "result": answer.body})
        return Answer(200, {"hasErrors": any(each["statusCode"] >= 400 for each in results), "results": results})

    def graph(self, call: Call) -> Answer:
        """POST /composite/graph: several composite requests, each all or nothing."""
        graphs = call.fields().get("graphs")
        if not isinstance(graphs, list) or not all(isinstance(each, dict) and each.get("graphId") for each in graphs):
            raise SalesforceError("JSON_PARSER_ERROR", "graphs must be a list of graphs with ids")
        nodes = sum(len(_checked_parts(each, most=_MOST_NODES)) for each in graphs)
        if len(graphs) > _MOST_GRAPHS or nodes > _MOST_NODES:
            message = f"A request can't have more than {_MOST_GRAPHS} graphs or {_MOST_NODES} nodes"
            raise SalesforceError("LIMIT_EXCEEDED", message)
        return Answer(200, {"graphs": [self._one_graph(call, each) for each in graphs]})

    def _one_graph(self, call: Call, graph: dict[str, Any]) -> dict[str, Any]:
        parts = _checked_parts(graph, most=_MOST_NODES)
        answers: list[Answer] = []
        self._run_all_or_none(call, parts, answers)
        told = [_told(part, answer) for part, answer in zip(parts, answers, strict=True)]
        good = all(answer.status < 300 for answer in answers)
        return {"graphId": graph["graphId"], "graphResponse": {"compositeResponse": told}, "isSuccessful": good}

    def _answered(self, call: Call, part: dict[str, Any], known: dict[str, Any]) -> Answer:
        try:
            answer = self._handle(_part_call(call, part, known))
        except SalesforceError as error:
            return refused(error)
        if isinstance(answer.body, Content):
            return refused(SalesforceError("INVALID_REQUEST", "A composite request can't answer with binary data"))
        return answer

    def _run_all_or_none(self, call: Call, parts: list[dict[str, Any]], answers: list[Answer]) -> None:
        try:
            with self._rows.unit(call.actor):
                self._run_parts(call, parts, answers, stop=True)
        except _RollBack:
            failed = answers[-1]
            halted = refused(SalesforceError("PROCESSING_HALTED", _ROLLED_BACK))
            answers[:] = [halted] * (len(answers) - 1) + [failed] + [halted] * (len(parts) - len(answers))

    def _run_parts(self, call: Call, parts: list[dict[str, Any]], answers: list[Answer], *, stop: bool = False) -> None:
        known: dict[str, Any] = {}
        for part in parts:
            answer = self._answered(call, part, known)
            answers.append(answer)
            if answer.status < 300:
                known[part["referenceId"]] = answer.body
            elif stop:
                raise _RollBack


def _is_subrequest(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("url"), str) and isinstance(part.get("method", ""), str)


def _checked_parts(body: dict[str, Any], most: int = _MOST_CALLS) -> list[dict[str, Any]]:
    parts = body.get("compositeRequest")
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise SalesforceError("JSON_PARSER_ERROR", "compositeRequest must be a list of subrequests")
    for name in ("method", "url", "referenceId"):
        if any(not isinstance(part.get(name), str) for part in parts):
            raise SalesforceError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{name}]")
    if len(parts) > most:
        raise SalesforceError("LIMIT_EXCEEDED", f"Composite request can't have more than {most} operations")
    if sum("/query" in part["url"] or "/composite/" in part["url"] for part in parts) > _MOST_QUERIES:
        message = f"Composite request can't have more than {_MOST_QUERIES} query and collection operations"
        raise SalesforceError("LIMIT_EXCEEDED", message)
    if len({part["referenceId"] for part in parts}) < len(parts):
        raise SalesforceError("JSON_PARSER_ERROR", "Provided reference IDs are not unique")
    return parts


def _part_call(call: Call, part: dict[str, Any], known: dict[str, Any]) -> Call:
    url = _split(_filled(part["url"], known))
    match = _PATH.fullmatch(url.path)
    if match is None or match.group(2).rstrip("/") in _CARRIERS:
        raise SalesforceError("INVALID_REQUEST", f"The url {url.path} is not allowed in a composite request")
    given = part.get("httpHeaders") or {}
    if not isinstance(given, dict):
        raise SalesforceError("JSON_PARSER_ERROR", "httpHeaders must be an object")
    headers = {str(name).lower(): str(value) for name, value in given.items()}
    return Call(
        method=part["method"].upper(),
        path=tuple(unquote(segment) for segment in match.group(2).rstrip("/").split("/")),
        version=match.group(1),
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        body=_filled(part.get("body"), known),
        actor=call.actor,
        locked=call.locked,
    )


def _split(url: Any) -> SplitResult:
    try:
        return urlsplit(str(url))
    except ValueError as error:
        raise SalesforceError("INVALID_REQUEST", f"The url {url} is not allowed in a composite request") from error


def _filled(value: Any, known: dict[str, Any]) -> Any:
    """Replace references by what they stand for, at any depth."""
    if isinstance(value, dict):
        return {name: _filled(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _looked_up(whole, known)
    return _REFERENCE.sub(lambda match: str(_looked_up(match, known)), value)


def _looked_up(match: re.Match[str], known: dict[str, Any]) -> Any:
    name, path = match.groups()
    try:
        found = known[name]
        for step in re.findall(r"\w+", path):
            found = found[int(step)] if isinstance(found, list) else found[step]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        message = f"Invalid reference specified. No value for {name}{path} found in {name}"
        raise SalesforceError("PROCESSING_HALTED", message) from error
    return found


def _told(part: dict[str, Any], answer: Answer) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": answer.headers,
        "httpStatusCode": answer.status,
        "referenceId": part["referenceId"],
    }
