# SPDX-License-Identifier: GPL-2.0-or-later
"""What --json printed, held against docs/schema. For the tests; needs python3-jsonschema."""
import json

from defects_bank import ROOT

SCHEMA = ROOT / "docs" / "schema"


def problem(name, output):
    """Why output, text, is not what docs/schema/NAME.json says, in one line; None if it is."""
    import jsonschema
    try:
        jsonschema.validate(json.loads(output), json.loads((SCHEMA / f"{name}.json").read_text()))
    except jsonschema.ValidationError as error:
        return f"{error.json_path}: {error.message[:200]}".replace("\n", " ")
    except ValueError as error:
        return f"no JSON object: {error}"
    return None
