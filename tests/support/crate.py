# SPDX-License-Identifier: MIT
"""What a Process Run Crate must be, as far as we can say it; and the validator of
the RO-Crate community (roc-validator, from pip), where it is installed."""
import json
from pathlib import Path

from promises import check, equal

CRATE = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"


def listed(value):
    return value if isinstance(value, list) else [value]


def read(crate):
    """The entities of a crate by their @id, with its shape checked."""
    whole = json.loads((Path(crate) / "ro-crate-metadata.json").read_text())
    equal(listed(whole["@context"])[0], CRATE + "/context")
    entities = {one["@id"]: one for one in whole["@graph"]}
    equal(len(entities), len(whole["@graph"]), "an @id twice")
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    equal((descriptor["@type"], descriptor["conformsTo"], descriptor["about"]),
          ("CreativeWork", {"@id": CRATE}, {"@id": "./"}))
    equal((root["@type"], root["conformsTo"]), ("Dataset", {"@id": PROFILE}))
    for needed in ("name", "description", "datePublished", "license"):
        check(root[needed], f"the root has no {needed}")
    for one in entities.values():
        for value in one.values():
            for reference in listed(value):
                if isinstance(reference, dict) and "@id" in reference:
                    known = reference["@id"] in entities or reference["@id"].startswith("http")
                    check(known, f"{one['@id']} refers to {reference}, which is not there")
        if one["@type"] == "File":
            check((Path(crate) / one["@id"]).is_file(), f"{one['@id']} is no file")
    for action in actions(entities):
        check(entities[action["instrument"]["@id"]]["@type"] == "SoftwareApplication", action)
        check({"@id": action["@id"]} in listed(root["mentions"]), "a run that is not mentioned")
        for needed in ("name", "agent", "endTime", "result"):
            check(action[needed], f"a run has no {needed}")
    return entities


def actions(entities):
    return [one for one in entities.values() if one["@type"] == "CreateAction"]


def issues(crate):
    """What roc-validator finds that is REQUIRED; None where it is not installed. It
    asks for the JSON-LD context over the network: a copy lies in the package rocrate."""
    try:
        import rocrate
        from rocrate_validator import services
        from rocrate_validator.utils import http
    except ImportError:
        return None
    text = (Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text()

    class Copy:
        status_code, headers, text = 200, {"Content-Type": "application/ld+json"}, ""

        @staticmethod
        def json():
            return json.loads(text)

    http.HttpRequester.get = lambda *_, **__: Copy
    found = services.validate({"rocrate_uri": str(crate), "profile_identifier": "process-run-crate",
                               "requirement_severity": "RECOMMENDED"})
    return [(one.severity.name, one.message) for one in found.get_issues()]


if __name__ == "__main__":
    import sys
    read(sys.argv[1])
    for line in issues(sys.argv[1]):
        print(*line)
