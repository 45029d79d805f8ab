"""The last part of `make demo`: start the service on the champion, score a lead over HTTP, say it in plain words.

The service runs as it would anywhere: a process of its own, asked over HTTP; only that nobody needs a key, so it can be
tried out from this machine and from no other. The lead is made up.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.text import Language, Text, decimal, percent

START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 15
TRACKING_STORE = "sqlite:///.state/mlflow.db"
DEMO_MODEL = "models:/demo@champion"
DEMO_STORE = "sqlite:///.state/demo/scores.db"

LEAD = {
    "lead_id": "DEMO-1",
    "account_id": "DEMO-A",
    "fields": {
        "lead_source": "trade_fair",
        "campaign": "trade_fair_2026_q1_new",
        "product_interest": "automation",
        "demo_requested": True,
        "newsletter": False,
        "freemail": False,
        "pages_viewed_30d": 9,
        "pricing_page_views": 2,
        "days_since_last_visit": 1.5,
        "emails_opened_30d": 3,
        "emails_clicked_30d": 1,
        "job_function": "production",
        "job_level": "head_of_department",
        "previous_customer": False,
        "industry": "mechanical_engineering",
        "employees": 320,
        "country": "DE",
        "region": "Bayern",
    },
}


def demo(language: Language, *, calls: Path | None, once: bool) -> int:
    """The exit code: 0 when the lead was scored and the service was stopped by Ctrl-C, or right away with `once`.

    `calls` is a file with what a simulated CRM sent until now; the store is filled with it first. If the service ends
    by itself, its own exit code; as shells do, 128 plus the number of the signal that ended it.
    """
    # A shell that starts us in the background would have Ctrl-C ignored, and the service would never be stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    address = _address()
    if calls is not None:
        print(_FILLING.in_language(language), flush=True)
        subprocess.run([sys.executable, "-m", "serving", "replay", str(calls)], env=_environment(address), check=True)
    print(_STARTING.in_language(language), flush=True)
    service = subprocess.Popen([sys.executable, "-m", "serving", "serve"], env=_environment(address))
    try:
        _wait_until_ready(address, service)
        answer = _post(f"{address}/v1/score", LEAD)
        print(in_words(answer, language))
        print(where_to_look(address, language), flush=True)
        if not once:
            ended = service.wait()
            code = ended if ended >= 0 else 128 - ended
            print(_ENDED.in_language(language).format(code), file=sys.stderr)
            return code
    except KeyboardInterrupt:
        print()
    finally:
        _stop(service)
    return 0


def in_words(answer: Mapping[str, Any], language: Language) -> str:
    """A score as a person would be told it."""
    probability, horizon = float(answer["probability"]), answer.get("horizon_days")
    about = {
        "en": f"won within {horizon} days with a probability of {percent(probability, 'en', 1)}",
        "de": f"wird mit {percent(probability, 'de', 1)} Wahrscheinlichkeit in {horizon} Tagen gewonnen",
    }[language]
    handover = _HANDOVER[answer["handover"]].in_language(language)
    if interval := answer.get("interval"):
        ends = (percent(interval[end], language) for end in ("low", "high"))
        about += f" ({_BETWEEN.in_language(language).format(*ends)})"
    lines = [f"{_GRADE.in_language(language)} {answer['grade']}, {answer['score']} / 100 · {handover}", ""]
    lines += [answer["base"]["text"][language]]
    lines += [f"  {reason['text'][language]}" for reason in answer["reasons"]]
    lines += [f"  {answer['rest']['text'][language]}"]
    if answer["unknown"]:
        lines += [f"{_UNKNOWN.in_language(language)}: {', '.join(answer['unknown'])}"]
    if answer["missing"]:
        lines += [f"{_MISSING.in_language(language)}: {', '.join(answer['missing'])}"]
    total = answer["base"]["log_odds"] + sum(part["contribution"] for part in answer["contributions"])
    lines += ["", _SUM.in_language(language).format(*(decimal(x, 9, language) for x in (total, answer["log_odds"])))]
    simulated = f"[{_SIMULATED.in_language(language)}] " if answer["model"]["simulated"] else ""
    return "\n".join(["", f"{simulated}Lead {answer['lead_id']}: {about}", *lines, ""])


def where_to_look(address: str, language: Language) -> str:
    """Addresses and commands for going on."""
    places = (
        (Text("The cockpit, for marketing and sales", "Das Cockpit, für Marketing und Vertrieb"), f"{address}/"),
        (Text("This lead in it", "Dieser Lead darin"), f"{address}/cockpit/leads/{LEAD['lead_id']}"),
        (Text("The API, to try out", "Die API zum Ausprobieren"), f"{address}/docs"),
        (Text("The model's runs", "Die Läufe des Modells"), "make mlflow"),
        (Text("The model card", "Die Modellkarte"), "make card"),
    )
    width = max(len(name.in_language(language)) for name, _ in places)
    lines = [f"  {name.in_language(language):<{width}}  {place}" for name, place in places]
    return "\n".join([*lines, "", f"  {_OPEN.in_language(language)}"])


def _address() -> str:
    """Where the service will listen: the port that it was told, or a free one if another program has it."""
    port = int(os.environ.get("LEAD_PORT", "8000"))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _environment(address: str) -> dict[str, str]:
    """The service's settings: what the caller has set, else the demo's."""
    defaults = {
        "LEAD_BUNDLE": DEMO_MODEL,
        "LEAD_DATABASE_URL": DEMO_STORE,
        "LEAD_LOG_LEVEL": "warning",
        "MLFLOW_TRACKING_URI": TRACKING_STORE,
    }
    port = address.rpartition(":")[2]
    return {**defaults, **os.environ, "LEAD_DEMO": "1", "LEAD_HOST": "127.0.0.1", "LEAD_PORT": port}


def _wait_until_ready(address: str, service: subprocess.Popen[bytes]) -> None:
    """Return when the service can answer; say why, if it never can."""
    until, told = time.monotonic() + START_TIMEOUT_S, ""
    while time.monotonic() < until:
        if service.poll() is not None:
            raise SystemExit(f"The service ended with exit code {service.returncode}.")
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                return
        except urllib.error.HTTPError as error:
            told = error.read().decode(errors="replace")
        except OSError as error:
            told = str(error)
        time.sleep(0.2)
    raise SystemExit(f"The service did not get ready within {START_TIMEOUT_S} s: {told}")


def _post(address: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: Mapping[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{address} answered {error.code}: {error.read().decode(errors='replace')}") from error


def _stop(service: subprocess.Popen[bytes]) -> None:
    if service.poll() is None:
        service.terminate()
    try:
        service.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()


_OPEN = Text(
    "This demo is open to this machine without a key. make serve lets in only who has one.",
    "Diese Demo steht diesem Rechner ohne Schlüssel offen. make serve lässt nur ein, wer einen hat.",
)
_BETWEEN = Text("between {} and {}, nine times in ten", "zwischen {} und {}, in neun von zehn Fällen")
_FILLING = Text("… Taking what a simulated CRM sent until now", "… Verarbeiten, was ein simuliertes CRM bisher sandte")
_STARTING = Text("… Starting the service and scoring a lead over HTTP", "… Dienst starten und einen Lead bewerten")
_ENDED = Text("The service ended with exit code {}.", "Der Dienst endete mit dem Exit-Code {}.")
_GRADE = Text("Grade", "Klasse")
_HANDOVER = {
    "go": Text("hand over to sales", "an den Vertrieb übergeben"),
    "nurture": Text("nurture", "weiter pflegen"),
}
_UNKNOWN = Text("Rare or new in training, counted as such", "Im Training selten oder neu, entsprechend gezählt")
_MISSING = Text("Not given", "Nicht angegeben")
_SUM = Text("Base plus all contributions: {} = log-odds {}", "Basis plus alle Beiträge: {} = Log-Odds {}")
_SIMULATED = Text("simulated", "simuliert")
