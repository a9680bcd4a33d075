#!/usr/bin/env python3
"""Are these OCSF events? `ocsf_check.py SCHEMA_FOLDER < events.jsonl`; `ocsf_check.py --self-test SCHEMA_FOLDER`.

Knows nothing of nacre: it reads the published schema, which is no JSON Schema, and holds each event against it: required
attributes, none that the class or object does not have, those of profiles only when the event names the profile, types,
enumerations with their captions, constraints, and that type_uid is what class and activity make it. Of an object whose
schema is not in the folder it knows only that it is one. Answers 1 and names what is wrong."""
import json
import pathlib
import re
import sys

TEXT = r".*"
# Of the types that are texts: what they look like. OCSF's own regular expressions are no stricter, but for ip_t.
TEXTS = {"string_t": TEXT, "process_name_t": TEXT, "file_path_t": TEXT, "url_t": TEXT, "username_t": TEXT, "uuid_t": r"[0-9a-fA-F-]{36}",
         "hostname_t": r"[A-Za-z0-9._-]{1,253}", "datetime_t": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*", "ip_t": r"[0-9a-fA-F.:]+"}
BOUNDS = {"integer_t": 2 ** 31, "long_t": 2 ** 63, "timestamp_t": 2 ** 63, "port_t": 65536}


class Schema:
    def __init__(self, folder):
        self.classes = {}
        for path in (folder / "classes").glob("*.json"):
            read = json.loads(path.read_text(encoding="utf-8"))
            self.classes[read["uid"]] = read
        self.objects = {path.stem: json.loads(path.read_text(encoding="utf-8"))
                        for path in (folder / "objects").glob("*.json")}

    def problems_of(self, event):
        if not isinstance(event, dict) or event.get("class_uid") not in self.classes:
            return [f"no class {event.get('class_uid') if isinstance(event, dict) else event!r}"]
        of_class = self.classes[event["class_uid"]]
        metadata = event.get("metadata")
        profiles = set(metadata.get("profiles", [])) if isinstance(metadata, dict) else set()
        problems = [f"no profile {name} of the class" for name in profiles - set(of_class["profiles"])]
        problems += self._members("", event, of_class, profiles)
        if event.get("type_uid") != event["class_uid"] * 100 + event.get("activity_id", -1):
            problems.append(f"type_uid {event.get('type_uid')} is not that of class and activity")
        if isinstance(metadata, dict) and metadata.get("version") != "1.8.0":
            problems.append("metadata.version is not 1.8.0")
        return problems

    def _members(self, where, value, schema, profiles):
        attributes = {name: attribute for name, attribute in schema["attributes"].items()
                      if not attribute.get("profiles") or profiles & set(attribute["profiles"])}
        problems = [f"{where}{name}: required" for name, attribute in attributes.items()
                    if attribute.get("requirement") == "required" and name not in value]
        for name, member in value.items():
            if name not in attributes:
                problems.append(f"{where}{name}: no attribute")
            else:
                problems += self._attribute(where + name, member, attributes[name], profiles)
                problems += self._sibling(where, value, name, attributes[name])
        for kind, names in (schema.get("constraints") or {}).items():
            count = sum(name in value for name in names)
            if (kind == "at_least_one" and count < 1) or (kind == "just_one" and count != 1):
                problems.append(f"{where}: {kind} of {', '.join(names)}")
        return problems

    @staticmethod
    def _sibling(where, value, name, attribute):
        """The text beside an id is the id's caption; beside 99 it is the source's own."""
        text, enum = value.get(attribute.get("sibling")), attribute.get("enum", {})
        if text is None or value[name] in (0, 99) or str(value[name]) not in enum:
            return []
        caption = enum[str(value[name])]["caption"]
        return [] if text == caption else [f"{where}{attribute['sibling']}: {text!r} is not {caption!r}"]

    def _attribute(self, where, value, attribute, profiles):
        if attribute.get("is_array"):
            if not isinstance(value, list) or not value:
                return [f"{where}: no array with members"]
            single = {**attribute, "is_array": False}
            return [p for i, item in enumerate(value) for p in self._attribute(f"{where}[{i}]", item, single, profiles)]
        kind = attribute["type"]
        if kind == "object_t":
            if not isinstance(value, dict):
                return [f"{where}: no object"]
            schema = self.objects.get(attribute["object_type"])
            return self._members(where + ".", value, schema, profiles) if schema else []
        if kind == "boolean_t":
            return [] if isinstance(value, bool) else [f"{where}: no boolean"]
        if kind in BOUNDS:
            if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= BOUNDS[kind]:
                return [f"{where}: no {kind}"]
        elif kind in TEXTS:
            if not isinstance(value, str) or not re.fullmatch(TEXTS[kind], value, re.DOTALL):
                return [f"{where}: no {kind}"]
        else:
            return [f"{where}: this checker does not know {kind}"]
        if attribute.get("enum") and str(value) not in attribute["enum"]:
            return [f"{where}: {value!r} is not in the enumeration"]
        return []


def self_test(schema):
    good = {"class_uid": 6002, "category_uid": 6, "activity_id": 3, "activity_name": "Start", "type_uid": 600203,
            "time": 1, "severity_id": 1, "app": {"name": "x"}, "metadata": {"version": "1.8.0", "product": {"name": "x"}}}
    assert not schema.problems_of(good), schema.problems_of(good)
    bad = [{"class_uid": 1}, {"type_uid": 600204}, {"time": "now"}, {"severity_id": 7}, {"severity_id": True},
           {"app": {}}, {"app": []}, {"app": {"name": 1}}, {"app": {"name": "x", "colour": "red"}}, {"invented": 1},
           {"action_id": 1}, {"category_uid": 5}, {"activity_name": "Stop"}, {"message": 1},
           {"metadata": {"version": "1.8.0"}}, {"metadata": {"version": "1.7.0", "product": {"name": "x"}}},
           {"metadata": {"version": "1.8.0", "product": {"name": "x"}, "labels": "a"}},
           {"metadata": {"version": "1.8.0", "product": {"name": "x"}, "profiles": ["nobody"]}}]
    for change in bad:
        assert schema.problems_of({**good, **change}), change
    for name in ("time", "app", "metadata", "severity_id", "activity_id"):
        assert schema.problems_of({k: v for k, v in good.items() if k != name}), name
    print(f"self-test of {len(bad) + 6} cases: 0 problems")


def main():
    arguments = sys.argv[1:]
    schema = Schema(pathlib.Path(arguments[-1]))
    if arguments[0] == "--self-test":
        return self_test(schema)
    count, classes = 0, set()
    for line in sys.stdin:
        event = json.loads(line)
        problems = schema.problems_of(event)
        if problems:
            sys.exit(f"event {count}: {'; '.join(problems)}\n{line}")
        classes.add(event["class_uid"])
        count += 1
    if not count:
        sys.exit("no events")
    print(f"{count} events of the classes {sorted(classes)}: 0 problems")
    return None


if __name__ == "__main__":
    main()
