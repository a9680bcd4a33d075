"""Requests to run a program, or that a program fulfils."""

import json

import words
from stories.builder import body, cut_note, file_form, folder_form, quoted


def shown_command(argv) -> str:
    return " ".join(argv)


def tell_run(story, argv, result):
    command = f"`{shown_command(argv)}`"
    if story.failed(result, f"run {command}"):
        return
    status, lines = result.split("\n")[0], body(result)
    if status == "exit 0" and not lines:
        story.answer(f"{command} finished without output.")
    elif status == "exit 0" and len(lines) <= 6:
        story.answer(f"{command} printed:\n" + "\n".join(lines) + cut_note(result))
    elif status == "exit 0":
        story.answer(
            f"{command} printed many lines, which begin:\n" + "\n".join(lines[:3]) + cut_note(result)
        )
    elif lines:
        story.answer(f"{command} failed with exit code {status[5:]}:\n" + "\n".join(lines[:4]))
    else:
        story.answer(f"{command} failed with exit code {status[5:]} and printed nothing.")


def only_programs(programs) -> str:
    """A policy that lets only these programs run."""
    return (
        "nacre: policy/1\nname: world\nextends: [builtin/base]\nworkspace: {mode: direct}\ntools:\n"
        "  - {id: run, reason: what the project needs, tool: proc.run, decision: allow,\n"
        f"     args: {{argv[0]: {{one_of: {json.dumps(programs)}}}}}}}\n"
        "  - {id: write, reason: the agent may write, tool: [fs.write, fs.edit], decision: allow}\n"
    )


def script(story, path):
    """A Python program that prints a little, and sometimes fails."""
    rng = story.rng
    lines = [f"print({words.sentence(rng)!r})" for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    kind = rng.random()
    if kind < 0.12:
        lines += ["import sys", f"sys.exit({rng.randint(1, 5)})"]
    elif kind < 0.24:
        lines += ["import sys", f"sys.exit({words.sentence(rng)!r})"]
    story.add_file(path, lines or ["pass"])


def other_program(story, path) -> list:
    """Less common programs; with most of the refused ones that people think of."""
    rng = story.rng
    second = words.file_path(rng).replace(" ", "_")
    name = words.word(rng)
    kind = rng.choice(("make", "python", "text", "text", "text", "refused", "refused", "refused", "files"))
    if kind == "make":
        target = rng.choice(("all", "test", "clean", name))
        if rng.random() < 0.8:
            recipe = rng.choice((f"@echo {name} {words.word(rng)}", f"@echo {name}; exit {rng.randint(1, 4)}", "@true"))
            story.add_file("Makefile", [f"{target}:", "\t" + recipe])
        return ["make"] + [target] * (rng.random() < 0.6)
    if kind == "python":
        program = name + ".py"
        if rng.random() < 0.8:
            script(story, program)
        return ["python3", program]
    if kind == "text":
        if rng.random() < 0.8:
            story.add_text(second, 1, 6)
        return rng.choice(
            (
                ["date"],
                ["pwd"],
                ["echo", name],
                ["cut", "-d,", f"-f{rng.randint(1, 3)}", path],
                ["uniq", path],
                ["uniq", "-c", path],
                ["tac", path],
                ["rev", path],
                ["nl", path],
                ["diff", path, second],
                ["cmp", path, second],
                ["md5sum", path],
                ["cat", path, second],
                ["cat", "-n", path],
                ["paste", path, second],
                ["basename", path],
                ["dirname", path],
                ["seq", str(rng.randint(1, 6))],
                ["expr", str(rng.randint(1, 99)), "+", str(rng.randint(1, 99))],
                ["wc", "-l", path, second],
                ["sort", "-k", "2", path],
                ["git", "status"],
                ["true"],
                ["false"],
                ["test", "-f", path],
            )
        )
    if kind == "files":
        folder = words.folder_name(rng)
        story.fill(folder, (0, 5), (0, 2))
        return rng.choice(
            (
                ["ls"],
                ["ls", folder],
                ["ls", "-1", folder],
                ["find", folder, "-name", "*." + rng.choice(words.TEXT_EXTENSIONS)],
                ["find", folder, "-type", "d"],
                ["mkdir", name],
                ["mkdir", "-p", folder + "/" + name],
                ["touch", name + ".txt"],
                ["rmdir", name],
                ["ls", name],
            )
        )
    return rng.choice(
        (
            ["whoami"],
            ["uname", "-a"],
            ["curl", "https://" + name + ".com"],
            ["wget", "http://" + name + ".org/" + words.file_name(rng).replace(" ", "_")],
            ["ps", "aux"],
            ["id"],
            ["env"],
            ["bash", name + ".sh"],
            ["sh", "-c", name],
            ["tar", "-xf", name + ".tar"],
            ["uptime"],
            ["nproc"],
            ["hostname"],
            ["sed", "-n", "1p", path],
            ["awk", "{print}", path],
            ["sudo", name],
            ["ssh", name],
            ["chmod", "+x", path],
            ["kill", words.number(rng)],
            ["pip", "install", name],
            ["apt", "install", name],
            ["docker", "ps"],
            ["ping", name + ".com"],
            ["rm", path],
            ["ln", "-s", path, name],
            ["git", "commit", "-m", name],
            ["git", "push"],
            ["python3", "-c", "print(1)"],
            ["cat", "/etc/" + name],
            ["ls", "/home"],
            ["ls", "../" + name],
        )
    )


def command_line(story) -> tuple:
    """A program with arguments and how a user would type it."""
    rng, path = story.rng, words.file_path(story.rng)
    if " " in path:
        path = path.replace(" ", "_")
    program = rng.choice(
        (
            "wc",
            "wc",
            "wc",
            "sort",
            "sort",
            "grep",
            "grep",
            "head",
            "tail",
            "cat",
            "echo",
            "other",
            "other",
            "other",
            "other",
            "strange",
        )
    )
    there = rng.random() < 0.9
    lines = story.add_text(path, 1, 10) if there else []
    if program in ("wc", "sort"):
        options = rng.choice(
            ([], ["-l"], ["-l"], ["-w"], ["-c"]) if program == "wc" else ([], [], ["-r"], ["-n"], ["-u"])
        )
        argv = [program, *options, path]
    elif program in ("head", "tail"):
        argv = [program, "-n", str(rng.randint(1, 9)), path]
    elif program == "cat":
        argv = ["cat", path]
    elif program == "grep":
        known = [one for line in lines for one in line.split() if one.isalnum()]
        argv = [
            "grep",
            *rng.choice(([], ["-n"], ["-c"], ["-i"])),
            rng.choice(known) if known and rng.random() < 0.8 else words.word(rng),
            path,
        ]
    elif program == "echo":
        argv = ["echo", *words.sentence(rng).replace('"', "").replace("'", "").replace("`", "").split()]
    elif program == "other":
        argv = other_program(story, path)
    else:
        argv = [
            "./" * rng.randint(0, 1) + words.word(rng),
            *[
                rng.choice(
                    (
                        "-" + words.random_letters(rng, 1, 1),
                        "--" + words.word(rng),
                        words.word(rng),
                        words.number(rng),
                        path,
                    )
                )
                for _ in range(rng.randint(0, 3))
            ],
        ]
    if rng.random() < 0.06 and program in ("echo", "grep"):
        argv[-2 if program == "grep" else -1] = words.word(rng) + " " + words.word(rng)
    typed = " ".join(f'"{part}"' if " " in part else part for part in argv)
    if rng.random() < 0.2:
        # Another list of programs; some on it do not exist.
        story.policy = only_programs(
            [argv[0]] * (rng.random() < 0.5) + [words.word(rng) for _ in range(rng.randint(1, 4))]
        )
    return argv, typed


def run_program(story):
    rng = story.rng
    argv, typed = command_line(story)
    mark = rng.choice(("`", "`", '"', "'", "", "", ""))
    mark = "" if mark and mark in typed else mark
    bare = len(argv) > 1 and argv[0] not in ("cat", "ls") and rng.random() < 0.1
    yield
    if bare:
        story.say(typed)
        return tell_run(story, argv, story.call("proc.run", argv=argv))
    story.user(
        (
            "(run|run|run|execute|start|call|launch|invoke) {c}",
            "(run|execute) the (command|program) {c}",
            "(what does {c} (print|output|say|do)?|what is the output of {c}?)" if mark else "run {c}",
            "(run|execute) {c} (and show me the output|and tell me the result|and tell me what it says|and show the result)"
            if mark
            else "execute {c}",
            "use the (shell|terminal|command line) to run {c}",
            "run this: {c}",
            "run {c} in the (shell|terminal)" if mark else "run: {c}",
            "i want to run {c}",
            "can you (run|execute) {c}",
            "try {c}" if mark else "try: {c}",
            "type {c} in the terminal" if mark else "command: {c}",
            "please run: {c}",
            "let {c} run" if mark else "do: {c}",
            "what happens if you run {c}?" if mark else "run {c}",
            "give me the output of {c}",
            "fire up {c}" if mark else "start {c}",
        ),
        c=mark + typed + mark,
    )
    tell_run(story, argv, story.call("proc.run", argv=argv))


def use_program(story):
    """Wishes that are met by a program rather than named by it."""
    rng = story.rng
    path, other = (words.file_path(rng).replace(" ", "_") for _ in range(2))
    folder = words.folder_path(rng)
    slots = {
        "f": file_form(rng, path),
        "g": file_form(rng, other),
        "n": quoted(rng, other, 0.1),
        "d": folder_form(rng, folder),
        "x": quoted(rng, folder, 0.1),
    }
    kind = rng.choice(
        (
            "sort",
            "sort",
            "words",
            "tail",
            "copy",
            "move",
            "delete",
            "delete",
            "mkdir",
            "rmdir",
            "date",
            "script",
            "diff",
            "wcl",
            "unique",
        )
    )
    if kind not in ("script", "date", "mkdir") and rng.random() < 0.9:
        story.add_text(path, 1, 9)
    if kind == "rmdir":
        story.fill(folder, (0, 4), (0, 1))
    if kind == "sort":
        argv = ["sort", path]
        if rng.random() < 0.25:
            argv = ["sort", "-r", path]
            yield
            story.user(
                (
                    "sort {f} (in reverse|in reverse order|backwards|in descending order|descending)",
                    "(show|print) the lines of {f} in reverse order",
                    "reverse sort {f}",
                ),
                **slots,
            )
        else:
            yield
            story.user(
                (
                    "sort {f}",
                    "sort the (lines|words|names|entries|items|content) (in|of) {f}",
                    "(show|show me|print|display|give me) {f} sorted",
                    "(show|show me|print) the sorted (lines|content) of {f}",
                    "put the lines of {f} (in|into) (alphabetical|sorted) order",
                    "sort the lines in {f} (alphabetically|by name|in order)",
                    "(use|run) sort (on|with|for) {f}",
                    "sort {f} (and show me the result|alphabetically)",
                    "(bring|get) the lines of {f} (in order|into order|into alphabetical order)",
                    "(can|could) you sort (the lines of|what is in|) {f} for me?",
                    "in what order are the lines of {f} when sorted?",
                    "alphabetize {f}",
                    "order the (lines|entries) of {f} alphabetically",
                ),
                **slots,
            )
    elif kind == "unique":
        argv = ["sort", "-u", path]
        yield
        story.user(
            (
                "(show|list|print) the (unique|distinct|different) lines (in|of) {f}",
                "sort {f} (without|and remove) duplicates",
                "which (unique|distinct) lines are in {f}?",
            ),
            **slots,
        )
    elif kind == "words":
        argv = ["wc", "-w", path]
        yield
        story.user(
            (
                "how many words (are in|are there in|has|does) {f}(| have| contain)?",
                "count the words (in|of) {f}",
                "(what is|tell me|give me) the (number of words|word count) (in|of) {f}",
                "word count of {f}",
                "number of words in {f}",
                "how wordy is {f}? count the words",
                "how many words did i write in {f}?",
            ),
            **slots,
        )
    elif kind == "wcl":
        argv = ["wc", "-l", path]
        yield
        story.user(
            (
                "(use|run) wc to count the lines (in|of) {f}",
                "count the lines (in|of) {f} with wc",
                "(run|use) wc -l (on|for|with) {f}",
                "use the program wc to (get|count) the (lines|number of lines) of {f}",
            ),
            **slots,
        )
    elif kind == "tail":
        count = rng.randint(1, 9)
        slots["m"] = str(count) if count > 1 else "last"
        argv = ["tail", "-n", str(count), path]
        yield
        story.user(
            (
                "(show|show me|read|print|what are|give me) the last {m} lines (of|in|from) {f}",
                "the last {m} lines of {f}",
                "print the {m} last lines of {f}",
                "how does {f} end? show the last {m} lines",
            )
            if count > 1
            else (
                "(show|show me|read|print|give me) the last line (of|in|from) {f}",
                "what is the last line (of|in) {f}?",
                "how does {f} end?",
            ),
            **slots,
        )
    elif kind == "copy":
        argv = ["cp", path, other]
        yield
        story.user(
            (
                "copy {f} to {n}",
                "(make|create) a copy of {f} (called|named|as|at|in) {n}",
                "duplicate {f} (as|to) {n}",
                "back up {f} (to|as) {n}",
                "copy {f} (into|over to|as) {n}",
            ),
            **slots,
        )
    elif kind == "move":
        argv = ["mv", path, other]
        yield
        story.user(
            (
                "(rename|move) {f} to {n}",
                "move {f} (into|over to) {n}",
                "(give|change) {f} the (new|) name {n}",
                "rename {f} (as|into) {n}",
                "{f} should be called {n}",
            ),
            **slots,
        )
    elif kind == "delete":
        argv = ["rm", path]
        yield
        story.user(
            (
                "(delete|remove|erase|throw away|get rid of|trash|destroy|rm|unlink) {f}",
                "(delete|remove) {f} from (the workspace|the disk|this folder)",
                "{f} (can be deleted|must go|is no longer needed, delete it)",
                "i (don't|do not) need {f} any more, (delete|remove) it",
            ),
            **slots,
        )
    elif kind == "mkdir":
        argv = ["mkdir", *["-p"] * ("/" in folder), folder]
        yield
        story.user(
            (
                "(create|make|add) (a folder|a directory|a new folder|a new directory|the folder|the directory|a subfolder) {x}",
                "(create|make) (a folder|a directory|a new folder) (called|named) {x}",
                "i need a (folder|directory|new folder) (called|named) {x}",
                "mkdir {x}",
                "new folder {x}",
            ),
            **slots,
        )
    elif kind == "rmdir":
        argv = ["rm", "-r", folder]
        yield
        story.user(
            (
                "(delete|remove|erase|get rid of|wipe|destroy|throw away) (the folder|the directory|folder|the whole folder|the entire directory) {x}",
                "(delete|remove|erase) everything in (the folder|the directory|) {x}",
                "(delete|remove) {x} and everything in it",
                "(delete|remove|empty) the {x} (folder|directory)",
            ),
            **slots,
        )
    elif kind == "date":
        argv = ["date"]
        yield
        story.user(
            (
                "what('s| is) the (date|time|current time|date today|current date)?",
                "what time is it(| now)?",
                "(tell me|show|show me|print) the (date|time|current time)",
                "what (day|date) is (it|today|it today)?",
                "(today's date|current time)",
            ),
            **slots,
        )
    elif kind == "diff":
        argv = ["diff", path, other]
        if rng.random() < 0.8:
            story.add_file(other, story.lines_of(path)[: rng.randint(0, 9)] + [words.sentence(rng)] * rng.randint(0, 1))
        yield
        story.user(
            (
                "compare {f} (with|and|to) {n}",
                "(show|what is|what are) the (difference|differences) between {f} and {n}",
                "(diff|run diff on) {f} and {n}",
                "(are|do) {f} and {n} (differ|the same|equal)?",
            ),
            **slots,
        )
    else:
        program = words.stem(rng).replace(" ", "_") + ".py"
        argv = ["python3", program]
        if rng.random() < 0.9:
            script(story, program)
        yield
        story.user(
            (
                "(run|execute|start) (the|my|) (script|python script|program|python program) {p}",
                "run {p} with (python|python3)",
                "use python to run {p}",
            ),
            p=quoted(rng, program, 0.15),
        )
    tell_run(story, argv, story.call("proc.run", argv=argv))
