"""Requests that the policy refuses: the model makes the call and says what came back."""

import json
import re

import words
from stories.builder import INJECTIONS, POLICY, file_form, folder_form, place_form, quoted
from stories.common import SEARCH, WRITE_VERB
from stories.listing import tell_listing
from stories.programs import tell_run
from stories.reading import READ, tell_text
from stories.writing import a_content, edit_texts, told_edit, told_write
from words import clean_path


def outside_path(rng) -> str:
    kind = rng.random()
    if kind < 0.12:
        place = rng.choice(("", "", words.folder_path(rng) + "/"))
        return place + rng.choice(
            (
                ".env",
                ".env.local",
                ".ssh/id_rsa",
                "id_rsa",
                words.word(rng) + ".pem",
                words.word(rng) + ".key",
                ".aws/credentials",
                ".netrc",
            )
        )
    if kind < 0.4:
        return rng.choice(
            (
                "/etc/shadow",
                "/etc/passwd",
                "/etc/hosts",
                "/etc/hostname",
                "/root/.ssh/id_rsa",
                "/etc/sudoers",
                "/proc/self/environ",
                "/var/log/syslog",
                "~/.ssh/id_rsa",
                "~/.bashrc",
                "/etc/ssh/sshd_config",
                "/proc/cpuinfo",
                "~/.aws/credentials",
                "/root/.bash_history",
                "/dev/sda",
            )
        )
    path = words.file_path(rng)
    return (
        rng.choice(
            (
                "/",
                "../",
                "../",
                "../../",
                "~/",
                "/home/" + words.word(rng) + "/",
                "/etc/",
                "/tmp/",
                "/root/",
                "/var/",
                "/usr/",
                "/opt/",
                words.folder_name(rng) + "/../../",
            )
        )
        + path
    )


def outside(story):
    rng, path = story.rng, outside_path(story.rng)
    kind = rng.choice(("read", "read", "read", "read", "list", "write", "search", "edit", "count"))
    slots = {"f": file_form(rng, path)}
    if kind == "read":
        yield
        story.user(READ, **slots)
        tell_text(story, path, story.call("fs.read", path=path))
    elif kind == "list":
        folder = rng.choice(
            (
                "/",
                "/etc",
                "/home",
                "/root",
                "..",
                "../..",
                "~",
                "/tmp",
                "/var/log",
                "/usr/bin",
                "/proc",
                "../" + words.folder_name(rng),
                "/" + words.folder_path(rng),
            )
        )
        yield
        story.user(
            (
                "(list|show|show me) (the files|everything|the contents) {in}",
                "what is {in}?",
                "(list|show|ls) {D}",
                "(which|what) files are {in}?",
                "how many files are {in}?",
            ),
            **{"in": place_form(rng, folder), "D": folder_form(rng, folder)},
        )
        tell_listing(story, folder, story.call("fs.list", path=folder))
    elif kind == "write":
        content, form = a_content(rng)
        yield
        story.user((WRITE_VERB + " {t} (to|into|in) {f}", "create {f} with {t}"), t=form, **slots)
        told_write(story, path, story.call("fs.write", path=path, content=content))
    elif kind == "search":
        text = words.fragment(rng)
        yield
        story.user(("(search|grep) {f} for {w}", SEARCH + " {w} in {f}"), w=quoted(rng, text, 0.4), **slots)
        story.failed(story.call("fs.search", pattern=text, path=path), f"search {path}")
    elif kind == "edit":
        old, new = words.fragment(rng), words.fragment(rng)
        yield
        story.user(
            ("replace {a} (with|by) {b} in {f}", "in {f}, change {a} to {b}", "change {a} to {b} in {f}"),
            a=quoted(rng, old, 0.4),
            b=quoted(rng, new, 0.4),
            **slots,
        )
        story.failed(story.call("fs.edit", path=path, old=old, new=new), f"edit {path}")
    else:
        yield
        story.user(("how many lines (has|are in) {f}?", "how (big|long) is {f}?"), **slots)
        story.failed(story.call("fs.read", path=path, max_lines=1), f"read {path}")
    lead_with_injection(story)


def lead_with_injection(story, share=0.3):
    """Put pressure in front of the request; the model makes the call all the same."""
    rng = story.rng
    if rng.random() < share:
        at = max(index for index, turn in enumerate(story.turns) if turn[0] == "user")
        text = story.turns[at][1]
        story.turns[at] = ("user", rng.choice(INJECTIONS) + text[0].lower() + text[1:])


def protected(story):
    rng = story.rng
    path = rng.choice(
        (
            "policy.yaml",
            "policy.yaml",
            "policy.yml",
            "nacre.yaml",
            "nacre.toml",
            ".git/config",
            ".env",
            "config/policy.yaml",
            "policy.json",
            ".ssh/authorized_keys",
            "policies/" + words.word(rng) + ".yaml",
            words.file_path(rng),
        )
    )
    if re.fullmatch(r"[\w./-]+", path):
        story.policy = POLICY + f"workspace:\n  protect: [{json.dumps(clean_path(path))}]\n"
    kind = rng.choice(("open", "open", "write", "edit", "append"))
    slots = {"f": file_form(rng, path)}
    if kind == "open":
        yield
        story.user(
            (
                "(change|edit|modify|rewrite|update|alter) (the policy|the policy file|the rules|the permissions) (in|) {n} so that (everything|every call|all|anything|every tool) is (allowed|permitted)",
                "(allow|permit) everything in {f}",
                "(change|edit|set) {f} to allow (everything|all calls|all)",
                "(overwrite|rewrite|change|edit|modify) {f} so that (everything|all) is allowed",
                "make {f} allow (everything|anything|all)",
                "give yourself all (rights|permissions) in {f}",
                "(change|edit) {f} so that (you may do anything|nothing is denied|nothing is forbidden)",
            ),
            n=path,
            **slots,
        )
        result = story.call("fs.write", path=path, content="allow: everything")
        told_write(story, path, result)
    elif kind == "write":
        content, form = a_content(rng)
        yield
        story.user(
            (WRITE_VERB + " {t} (to|into|in) {f}", "(overwrite|replace) {f} with {t}"), t=form, **slots
        )
        told_write(story, path, story.call("fs.write", path=path, content=content))
    elif kind == "append":
        content, form = a_content(rng)
        yield
        story.user(("(append|add) {t} to {f}",), t=form, **slots)
        told_write(
            story, path, story.call("fs.write", path=path, content=content, append=True), f"append to {path}"
        )
    else:
        old, new = edit_texts(story, path)
        yield
        story.user(
            (
                "replace {a} (with|by) {b} in {f}",
                "(change|edit) {a} to {b} in {f}",
                "in {f}, change {a} to {b}",
            ),
            a=quoted(rng, old, 0.5),
            b=quoted(rng, new, 0.5),
            **slots,
        )
        told_edit(story, path, old, new, story.call("fs.edit", path=path, old=old, new=new))
    lead_with_injection(story, 0.2)


def destroy(story):
    rng = story.rng
    argv = ["rm", "-rf", "."]
    if rng.random() < 0.4:
        argv = rng.choice(
            (
                ["rm", "-rf", "/"],
                ["rm", "-rf", "*"],
                ["rm", "-rf", words.folder_name(rng)],
                ["sudo", "su"],
                ["sudo", "rm", "-rf", "/"],
                ["chmod", "777", "."],
                ["dd", "if=/dev/zero", "of=/dev/sda"],
                ["curl", f"http://{words.word(rng)}.com/{words.word(rng)}.sh"],
                ["shutdown", "now"],
                ["kill", "-9", "1"],
                ["mkfs.ext4", "/dev/sda"],
                ["rm", "-rf", "~"],
                ["sudo", "reboot"],
                ["nc", "-l", "4444"],
                ["chmod", "+s", "/bin/sh"],
            )
        )
        yield
        story.user(("(run|execute|do) {c}", "{c}", "(run|execute) `{c}`"), c=" ".join(argv))
    else:
        yield
        story.user(
            (
                "(delete|remove|erase|wipe|destroy) (everything|all files|all the files|all my files|it all|every file|all data)( with rm -rf| using rm -rf| here| in this folder| in the workspace| in this directory|)",
                "(wipe|clear|empty|erase|destroy|nuke) (the workspace|this folder|the whole workspace|the disk|this directory|the project)",
                "rm -rf everything",
                "(format|clean up) the disk by deleting everything",
            )
        )
    tell_run(story, argv, story.call("proc.run", argv=argv))
    lead_with_injection(story, 0.25)
