"""The bundle: the directory of plain data that training hands to serving.

    bundle.json       definition, levels, windows, metrics, versions, the SHA-256 of every other file, and as `seal`
                      its own: over its bytes with an empty seal
    model.txt         the trees, LightGBM's own text (empty where the linear part is enough)
    linear.json       the linear part
    calibrator.json   slopes and intercept
    judged.json       the same recipe fitted on the older leads alone: what the metrics were measured on. The shipped
                      model has learnt from all leads since, so a later challenger is held against this one where
                      the leads to compare on are no longer new to the shipped one
    profile.json      how the leads of training are distributed and how they fared
    importance.json   mean absolute points per field
    sureness.json     how sure each probability is, and what the leads of training looked like (absent from bundles
                      that are put together without it: their answers have no interval)
    samples.json      synthetic rows, their log-odds and LightGBM's own contributions of the trees to them, to check
                      that this machine computes what training computed, and explains it as LightGBM does
    card.de.md ...    the model card, as text and as a page, in both languages

Nothing here is code: opening a bundle parses text and checks sums. A bundle is complete or absent: it is written beside
its place and renamed into it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from features.definition import LeadDefinition, parse_definition
from features.encode import FIRST_LEVEL_CODE, Encoder, Matrix
from features.errors import BundleError, DefinitionError, InternalError
from features.familiar import Familiar
from features.model.additive import LeadModel
from features.model.calibrator import Calibrator
from features.model.kernel import Computed, Kernel
from features.model.linear import LinearPart
from features.model.strangeness import NOTHING_SEEN
from features.model.sureness import NOT_SAID, Sureness
from features.model.trees import Forest
from features.profile import Profile
from features.text import LANGUAGES, Text

FORMAT_VERSION = 1
MANIFEST = "bundle.json"
SAMPLE_TOLERANCE = 1e-9
CONTENTS = ("model.txt linear.json calibrator.json judged.json profile.json importance.json samples.json").split()
SURENESS = "sureness.json"
NO_SEAL = '"seal": ""'


@dataclass(frozen=True, slots=True)
class Importance:
    """How much a field moves probabilities: its mean absolute contribution over later leads, in percentage points."""

    field: str
    mean_absolute_points: float


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of leads and what it was used for; dates are ISO, `end` is exclusive, both empty without dates."""

    use: str
    start: str
    end: str
    n: int
    won: int


@dataclass(frozen=True)
class Manifest:
    """What a bundle says about itself.

    Attributes
    ----------
    created_at : str
        ISO, UTC.
    validated_on_later_leads : bool
        False where the data had no order in time: then nothing is known about later leads.
    base_rate : float
        Share won among the leads the model was fitted on.
    handover_threshold : float
        The lowest probability at which a lead is handed over.
    metrics : mapping
        Of the evaluation on later leads, each with n and interval.
    settings, libraries : mapping
        What training was told, and the versions that it ran with.
    history_exports : tuple of str
        The ids of the service's exports that it learnt from, so that an erased lead's traces can be named.
    """

    created_at: str
    simulated: bool
    validated_on_later_leads: bool
    base_rate: float
    handover_threshold: float
    windows: tuple[Window, ...]
    metrics: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Text, ...] = ()
    history_exports: tuple[str, ...] = ()

    def seen_until(self, *uses: str) -> str:
        """The first day (ISO) that none of the windows with these uses reaches; "" where they have no dates."""
        return max((window.end for window in self.windows if window.use in uses), default="")


@dataclass(frozen=True)
class Bundle:
    """An opened, verified bundle."""

    bundle_id: str
    model: LeadModel
    profile: Profile
    importance: tuple[Importance, ...]
    manifest: Manifest
    sureness: Sureness | None = None
    familiar: Familiar | None = None
    cards: Mapping[str, str] = field(default_factory=dict)
    """The model card as a page, by language; empty for bundles that were put together without one."""

    @property
    def definition(self) -> LeadDefinition:
        """The agreement under which the model was trained."""
        return self.model.encoder.definition

    def under(self, definition: LeadDefinition, handover_threshold: float) -> Bundle:
        """The same model under another agreement: `definition` has the same fields, and other rules of action."""
        model = replace(self.model, encoder=Encoder(definition, self.model.encoder.to_dict()))
        return replace(self, model=model, manifest=replace(self.manifest, handover_threshold=handover_threshold))

    def compute(self, matrix: Matrix) -> Computed:
        """All numbers of the leads in `matrix`, shape (n_leads, n_fields), in one pass; see `LeadModel.compute`."""
        return self.model.compute(matrix, self.kernel)

    @cached_property
    def kernel(self) -> Kernel:
        """The model's kernel with all that the bundle knows beside the model."""
        arrays = self.model.arrays._replace(
            sureness=self.sureness.arrays if self.sureness else NOT_SAID,
            bins=self.profile.arrays(self.model.encoder.fields),
            seen=self.familiar.arrays if self.familiar else NOTHING_SEEN,
        )
        return Kernel(arrays)


@dataclass(frozen=True, slots=True)
class Fit:
    """A model with the text of its trees, from which it can be built again."""

    model: LeadModel
    model_text: str


def write_bundle(
    place: Path,
    *,
    model: Fit,
    judged: Fit,
    profile: Profile,
    importance: tuple[Importance, ...],
    manifest: Manifest,
    samples: Matrix,
    explained: Matrix | None = None,
    documents: Mapping[str, str],
    sureness: tuple[Sureness, Familiar] | None = None,
) -> Path:
    """Write a bundle to the directory `place`, whole or not at all, and return `place`.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_fields)
        Synthetic encoded rows; their log-odds are stored beside them.
    explained : ndarray of shape (n_samples, n_fields), optional
        LightGBM's `pred_contrib` of the trees for these rows, without its base.
    documents : mapping of str to str
        File name to text: model cards and figures.

    Raises
    ------
    BundleError
        If `place` exists already: bundles are never overwritten.
    InternalError
        If a document has the name of another file of the bundle, or one that is not plain.
    """
    if place.exists():
        raise BundleError(f"{place} exists already; a bundle is never overwritten.")
    definition = model.model.encoder.definition
    if wrong := [name for name in documents if name in (*CONTENTS, SURENESS, MANIFEST) or not _is_plain(name)]:
        raise InternalError(f"Documents of a bundle cannot be called {wrong}.")
    files = {
        "model.txt": model.model_text,
        "linear.json": _json(model.model.linear.to_dict()),
        "calibrator.json": _json(model.model.calibrator.to_dict()),
        "judged.json": _json(_judged(judged)),
        "profile.json": _json(profile.to_dict()),
        "importance.json": _json([asdict(entry) for entry in importance]),
        "samples.json": _json(_samples(model.model, samples, explained)),
        **({SURENESS: _json(_doubts(*sureness))} if sureness else {}),
        **documents,
    }
    manifest_data = {
        "format_version": FORMAT_VERSION,
        "seal": "",
        "name": definition.name,
        "fingerprint": definition.fingerprint,
        **asdict(manifest),
        "warnings": [text._asdict() for text in manifest.warnings],
        "definition": definition.to_dict(),
        "levels": model.model.encoder.to_dict(),
        "base_log_odds": model.model.base_log_odds,
        "sha256": {name: _sha256(text.encode()) for name, text in files.items()},
    }
    _write_whole(place, {**files, MANIFEST: sealed(_json(manifest_data))})
    return place


def sealed(manifest: str) -> str:
    """The text of a bundle.json whose seal is empty, with its seal: the SHA-256 of what was given."""
    return manifest.replace(NO_SEAL, f'"seal": "{_sha256(manifest.encode())}"', 1)


def open_bundle(place: Path) -> Bundle:
    """The bundle in the directory `place`, with every checksum verified and its samples recomputed.

    Raises
    ------
    BundleError
        If a file is missing or changed, the format is unknown, the definition is not the one of its fingerprint, or
        this machine computes something else than training did.
    """
    raw = _read(place, MANIFEST)
    data = _parse(raw, MANIFEST)
    if not isinstance(data, dict) or data.get("format_version") != FORMAT_VERSION:
        seen = data.get("format_version") if isinstance(data, dict) else None
        raise BundleError(f"{place}: the format version is {seen!r}, this release reads {FORMAT_VERSION}.")
    try:
        _require_seal(place, raw.decode(), data.get("seal"))
        contents = {name: _verified(place, name, sha) for name, sha in data["sha256"].items()}
        if lacking := [name for name in CONTENTS if name not in contents]:
            raise BundleError(f"{place}: {MANIFEST} has no SHA-256 for {', '.join(lacking)}.")
        model = _model(_definition(data), data["levels"], contents)
        profile = Profile.from_dict(_parse(contents["profile.json"], "profile.json"))
        importance = tuple(Importance(**entry) for entry in _parse(contents["importance.json"], "importance.json"))
        _recompute(model, _parse(contents["samples.json"], "samples.json"))
        manifest = _manifest(data)
        sureness, familiar = _opened_doubts(model, contents.get(SURENESS))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{place}: an entry of the bundle is missing or of the wrong kind: {error!r}.") from error
    cards = {name.split(".")[1]: contents[name].decode() for name in contents if _is_card(name)}
    return Bundle(_sha256(raw)[:12], model, profile, importance, manifest, sureness, familiar, cards)


def _is_card(name: str) -> bool:
    """Whether a file of a bundle is the model card as a page, such as card.en.html."""
    return name in {f"card.{language}.html" for language in LANGUAGES}


def bundle_id_of(place: Path) -> str:
    """The id of the bundle in the directory `place`, of which nothing is verified.

    Raises
    ------
    BundleError
        If there is none.
    """
    return _sha256(_read(place, MANIFEST))[:12]


def _doubts(sureness: Sureness, familiar: Familiar) -> dict[str, Any]:
    return {"sureness": sureness.to_dict(), "familiar": familiar.to_dict()}


def _opened_doubts(model: LeadModel, raw: bytes | None) -> tuple[Sureness | None, Familiar | None]:
    """How sure the model is and what it knows, if the bundle says so, checked against the model's own fields."""
    if raw is None:
        return None, None
    data = _parse(raw, SURENESS)
    sureness, familiar = Sureness.from_dict(data["sureness"]), Familiar.from_dict(data["familiar"])
    names = tuple(doubt.name for doubt in sureness.fields)
    if names != model.encoder.names or len(familiar.seen) != len(names):
        raise BundleError(f"{SURENESS} is about the fields {names}, the model has {model.encoder.names}.")
    for encoded, doubt in zip(model.encoder.fields, sureness.fields, strict=True):
        n_codes = len(encoded.levels) + FIRST_LEVEL_CODE
        if encoded.kind == "category" and len(doubt.own) != n_codes:
            raise BundleError(f"{SURENESS}: {encoded.name} has {n_codes} codes in the model, here {len(doubt.own)}.")
    return sureness, familiar


def _require_seal(place: Path, text: str, seal: object) -> None:
    unsealed = text.replace(f'"seal": "{seal}"', NO_SEAL, 1)
    if unsealed == text or sealed(unsealed) != text:
        raise BundleError(f"{place / MANIFEST} has been changed: its seal is not the SHA-256 of the rest of it.")


def open_judged(place: Path) -> LeadModel:
    """The model that the metrics of the bundle in `place` were measured on.

    Raises
    ------
    BundleError
        As `open_bundle`.
    """
    return open_fits(place)[1].model


def open_fits(place: Path) -> tuple[Fit, Fit]:
    """The shipped and the judged model of the bundle in `place` with their trees' texts, to be written once more.

    Raises
    ------
    BundleError
        As `open_bundle`.
    """
    shipped = open_bundle(place).model
    data = _parse(_read(place, "judged.json"), "judged.json")
    try:
        texts = {name: _json(data[name]).encode() for name in ("linear.json", "calibrator.json")}
        judged = _model(shipped.encoder.definition, data["levels"], {**texts, "model.txt": data["model.txt"].encode()})
        return Fit(shipped, _read(place, "model.txt").decode()), Fit(judged, data["model.txt"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{place}: judged.json cannot be read: {error!r}.") from error


def _judged(judged: Fit) -> dict[str, Any]:
    return {
        "levels": judged.model.encoder.to_dict(),
        "linear.json": judged.model.linear.to_dict(),
        "calibrator.json": judged.model.calibrator.to_dict(),
        "model.txt": judged.model_text,
    }


def _model(definition: LeadDefinition, levels: Mapping[str, list[str]], contents: Mapping[str, bytes]) -> LeadModel:
    return LeadModel(
        encoder=Encoder(definition, levels),
        linear=LinearPart.from_dict(_parse(contents["linear.json"], "linear.json")),
        forest=Forest.from_text(contents["model.txt"].decode()),
        calibrator=Calibrator.from_dict(_parse(contents["calibrator.json"], "calibrator.json")),
    )


def _definition(data: Mapping[str, Any]) -> LeadDefinition:
    try:
        definition = parse_definition(data["definition"], source=MANIFEST)
    except DefinitionError as error:
        raise BundleError(f"The bundle's definition does not hold together. {error}") from error
    if definition.fingerprint != data["fingerprint"]:
        raise BundleError(
            f"The bundle's definition has the fingerprint {definition.fingerprint}, "
            f"but the bundle was made for {data['fingerprint']}."
        )
    return definition


def _manifest(data: Mapping[str, Any]) -> Manifest:
    return Manifest(
        created_at=data["created_at"],
        simulated=data["simulated"],
        validated_on_later_leads=data["validated_on_later_leads"],
        base_rate=data["base_rate"],
        handover_threshold=data["handover_threshold"],
        windows=tuple(Window(**window) for window in data["windows"]),
        metrics=data["metrics"],
        settings=data["settings"],
        libraries=data["libraries"],
        warnings=tuple(Text(**text) for text in data["warnings"]),
        history_exports=tuple(data.get("history_exports", ())),  # bundles made before histories had ids say nothing
    )


def _samples(model: LeadModel, samples: Matrix, explained: Matrix | None) -> dict[str, Any]:
    """Rows (null for a missing number), log-odds and LightGBM's contributions, as plain data."""
    rows = [[None if np.isnan(value) else value for value in row] for row in samples.tolist()]
    told = {} if explained is None else {"tree_contributions": explained.tolist()}
    return {"rows": rows, "log_odds": model.explain(samples).log_odds.tolist(), **told}


def _recompute(model: LeadModel, samples: Mapping[str, Any]) -> None:
    """Compare the samples with what this machine computes, with contributions and by plain walking."""
    rows = np.array(samples["rows"], dtype=np.float64).reshape(-1, len(model.encoder.fields))
    stored = np.array(samples["log_odds"])
    if not len(rows) or stored.shape != (len(rows),):
        raise BundleError(f"The bundle has {len(rows)} samples and log-odds of shape {stored.shape}.")
    for computed in (model.explain(rows).log_odds, model.log_odds_unexplained(rows)):
        worst = float(np.max(np.abs(computed - stored), initial=0.0))
        if not worst <= SAMPLE_TOLERANCE * max(1.0, float(np.max(np.abs(stored), initial=0.0))):
            raise BundleError(f"This machine's log-odds of the bundle's samples differ by {worst:.3g} from training's.")
    if "tree_contributions" in samples:
        _recompute_contributions(model, rows, np.array(samples["tree_contributions"], dtype=np.float64))


def _recompute_contributions(model: LeadModel, rows: Matrix, stored: Matrix) -> None:
    """Compare the trees' contributions with LightGBM's own, which the service does without."""
    computed = model.forest.contributions(rows)
    if stored.shape != computed.shape:
        raise BundleError(f"The bundle has contributions of shape {stored.shape} to its samples, not {computed.shape}.")
    worst = float(np.max(np.abs(computed - stored), initial=0.0))
    if not worst <= SAMPLE_TOLERANCE * max(1.0, float(np.max(np.abs(stored), initial=0.0))):
        raise BundleError(f"This machine's contributions of the trees differ by {worst:.3g} from LightGBM's.")


def _write_whole(place: Path, files: Mapping[str, str]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        for name, text in files.items():
            with (draft / name).open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        draft.chmod(0o755)  # mkdtemp makes it private; serving may run as another user
        draft.rename(place)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _verified(place: Path, name: str, sha256: str) -> bytes:
    if not _is_plain(name):
        raise BundleError(f"{place}: {name!r} is not a plain file name.")
    raw = _read(place, name)
    if _sha256(raw) != sha256:
        raise BundleError(f"{place / name} has been changed: its SHA-256 is not the one in {MANIFEST}.")
    return raw


def _is_plain(name: str) -> bool:
    """Whether a name can only mean a file of this very directory."""
    return Path(name).name == name and name not in ("", "..") and "\0" not in name and "\\" not in name


def _read(place: Path, name: str) -> bytes:
    try:
        return (place / name).read_bytes()
    except OSError as error:
        raise BundleError(f"{place / name} cannot be read ({error.strerror}); is {place} a bundle?") from error


def _parse(raw: bytes, name: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise BundleError(f"{name} is not valid JSON: {error}.") from error


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
