"""Workspaces as real people have them: what folders and files are called, and what stands in them.

An area is a kind of project with its folders and the names that occur there. Contents are of one piece:
the rows of a table have the same columns, the lines of a log differ a little. Parts are combined at
random; the split of words (see dice.py) holds for them too.
"""

import re

from dice import DAYS, MONTHS, PEOPLE, PLACES, TEXT_EXTENSIONS, ordinary, pick, split
from ordinary_words import QUALITIES

TABLES, LOGS, SETTINGS, TEXTS, CODE, PAGES, PICTURES, BINARIES = (
    "csv csv csv tsv".split(),
    "log log log txt".split(),
    "ini yaml toml conf json cfg yml".split(),
    "txt txt md md txt".split(),
    "py py sh js c cpp rs go java sql".split(),
    "html css js md xml".split(),
    "png jpg jpg svg gif".split(),
    "pdf pdf zip docx xlsx mp3 bak".split(),
)

# Folder names of an area; then groups of stems with the extensions that they have.
AREAS = tuple(
    (tuple(folders.split()), tuple((tuple(stems.split()), extensions) for stems, extensions in groups))
    for folders, groups in (
        (
            "logs log var/log data/logs logs/2024 logs/2025 logs/archive server/logs output/logs",
            (("access error server app build debug install backup system mail worker startup shutdown update deploy sync cron database proxy audit nightly", LOGS),),
        ),
        (
            "conf config etc settings conf/local config/production config/test deploy profiles env",
            (("server app main database network mail users limits cache proxy printer logging defaults theme router backup editor site security storage hosts routes ports", SETTINGS),),
        ),
        (
            "recipes kitchen cookbook recipes/cakes recipes/soups recipes/italian food menu",
            (
                ("pancakes bread soup salad lasagne omelette cookies apple-pie curry pizza noodles chili dumplings cheesecake muffins pesto goulash risotto porridge lentils pumpkin-soup carrot-cake tomato_sauce fish-stew potato_salad", TEXTS),
                ("shopping ingredients groceries menu spices", TEXTS + TABLES),
            ),
        ),
        (
            "finance accounting invoices invoices/2024 invoices/2025 budget money bills taxes receipts reports/q1 reports/q2 reports/2025",
            (
                ("budget expenses income invoices payments costs taxes salaries balance customers prices accounts sales rent donations", TABLES + ["xlsx"]),
                ("invoice receipt bill reminder statement offer contract", BINARIES[:3] + TEXTS),
                ("summary report remarks forecast", TEXTS),
            ),
        ),
        (
            "meetings minutes office protocols meetings/2025 team board committee",
            (
                ("minutes agenda protocol meeting decisions attendance participants kickoff retro standup planning review summary", TEXTS),
                ("attendees rooms schedule", TABLES),
                ("slides handout photo", BINARIES),
            ),
        ),
        (
            "src lib app src/core src/utils src/server src/client backend frontend tests tests/unit tools scripts scripts/admin examples",
            (
                ("main app server client parser utils helpers config test_parser test_main setup clean build deploy convert report backup rename stats models views routes handler logger cache queue index hello fetch merge", CODE),
                ("readme changelog todo ideas design architecture", TEXTS),
                ("package settings fixtures", SETTINGS),
            ),
        ),
        (
            "docs doc documentation docs/guides docs/api manual wiki help handbook",
            (("readme install guide manual faq overview tutorial changelog glossary release-notes contributing quickstart troubleshooting checklist introduction index runbook style-guide roadmap", TEXTS + PAGES[:1]),),
        ),
        (
            "shop store warehouse inventory orders products stock data data/raw data/export catalogue",
            (
                ("inventory orders products prices customers suppliers stock returns deliveries articles catalogue shipments members contacts", TABLES),
                ("packing-list notes todo damaged_goods", TEXTS),
            ),
        ),
        (
            "letters mails correspondence drafts letters/2024 letters/sent private personal",
            (
                ("letter invitation application complaint thanks reply apology greeting farewell draft cover_letter cv reference proposal", TEXTS + BINARIES[:1]),
                ("addresses birthdays phone contacts", TABLES + TEXTS),
            ),
        ),
        (
            "photos pictures images img album photos/summer photos/2024 photos/family gallery assets assets/icons",
            (
                ("beach sunset garden family birthday wedding cat dog mountain snow portrait logo banner icon background map header lake party screenshot", PICTURES),
                ("captions album index", TEXTS),
            ),
        ),
        (
            "garden plants greenhouse allotment garden/2025",
            (
                ("tomatoes roses herbs compost watering planting seeds harvest lawn pruning beans weeds orchard", TEXTS),
                ("harvest rainfall seedlings temperatures", TABLES),
            ),
        ),
        (
            "school homework lectures course exercises thesis exams class university seminar",
            (
                ("biology history maths chemistry geography physics essay vocabulary exercise lecture solution exam summary outline bibliography chapter1 chapter2 introduction abstract questions", TEXTS + ["tex", "pdf"]),
                ("grades timetable students marks results", TABLES),
            ),
        ),
        (
            "music songs band lyrics choir concerts playlists",
            (
                ("lyrics setlist chords rehearsal ballad lullaby anthem chorus solo concert", TEXTS),
                ("recording demo live intro", ["mp3", "wav"]),
                ("playlist gigs members", TABLES),
            ),
        ),
        (
            "travel trips holidays trips/norway trips/2025 journey vacation",
            (
                ("packing itinerary hotels flights budget tickets sights diary route bookings visa luggage", TEXTS + TABLES[:1]),
                ("map ticket passport boarding-pass", BINARIES + PICTURES),
            ),
        ),
        (
            "sports club training team matches league members",
            (
                ("training schedule workout plan rules warmup", TEXTS),
                ("results league players scores times fixtures members fees", TABLES),
            ),
        ),
        (
            "lab experiments measurements results sensors data/sensors experiment1 experiment2 analysis",
            (
                ("temperature humidity pressure samples readings voltage calibration measurements results run1 run2 run3", TABLES),
                ("protocol observations method remarks conclusions setup", TEXTS),
                ("plot analyse evaluate fit simulate", CODE[:2]),
            ),
        ),
        (
            "web site www public website static templates web/assets blog blog/posts",
            (
                ("index about contact imprint home news blog gallery footer header login search article", PAGES),
                ("style layout print reset theme", ["css"]),
                ("first-post summer welcome spring-cleaning announcement", ["md"]),
            ),
        ),
        (
            "house home repairs flat rent insurance household",
            (
                ("repairs heating painting cleaning chores shopping wifi keys todo inventory moving electrician warranty", TEXTS),
                ("meter electricity water rent costs", TABLES),
                ("lease policy manual floorplan", BINARIES[:3]),
            ),
        ),
        (
            "books library reading writing novel stories poems articles",
            (
                ("chapter outline characters plot summary poem story draft prologue epilogue ending haiku autumn winter ocean quotes wishlist", TEXTS),
                ("books loans authors ratings", TABLES),
            ),
        ),
        (
            "projects projects/website projects/robot work planning tasks misc archive backup old tmp inbox notes personal/notes",
            (
                ("todo tasks plan ideas notes status list risks goals milestones backlog links questions wishlist checklist feedback brainstorm", TEXTS),
                ("team hours timesheet schedule", TABLES),
                ("proposal contract presentation brief", BINARIES[:4]),
            ),
        ),
    )
)
QUALIFIERS = tuple("""weekly monthly annual final old new draft team project summer winter spring autumn march april june july october
january office home family school main backup copy second first short long internal public customer berlin kitchen client
north south morning evening 2023 2024 2025 q1 q2 q3 q4 v2 v3 new-york shared sample test""".split())
UNIQUE = "README.md README.md README LICENSE Makefile TODO TODO.txt CHANGELOG.md notes.txt todo.txt todo.md notes.md .env .gitignore Dockerfile package.json requirements.txt CONTRIBUTING.md".split()


def area(rng) -> tuple:
    """An area; most names of a conversation come from the same two."""
    if rng.areas is None:
        rng.areas = [rng.choice(AREAS) for _ in range(2)]
    return rng.choice(rng.areas) if rng.random() < 0.8 else rng.choice(AREAS)


def stem_and_extension(rng, text=False) -> tuple:
    _, groups = area(rng)
    stems, extensions = rng.choice(groups)
    if text:
        extensions = [one for one in extensions if one in TEXT_EXTENSIONS] or TEXTS
    stem, kind = pick(rng, stems), rng.random()
    if kind < 0.14:
        first = pick(rng, QUALIFIERS)
        stem = rng.choice("--__  ").join((first, stem) if rng.random() < 0.75 else (stem, first))
    elif kind < 0.2:
        stem = rng.choice("--__  ").join((pick(rng, ordinary()), stem))
    elif kind < 0.26:
        stem += rng.choice(("-", "_", "", " ")) + rng.choice((str(rng.randint(1, 12)), str(rng.randint(2019, 2027)), "%03d" % rng.randint(1, 300)))
    elif kind < 0.3:
        stem = "%d-%02d-%02d" % (rng.randint(2023, 2026), rng.randint(1, 12), rng.randint(1, 28)) + rng.choice(("", "-" + stem, "_" + stem))
    elif kind < 0.33:
        stem += rng.choice(("_", "-", " ", "_to_", " for ")) + pick(rng, PEOPLE).lower()
    elif kind < 0.36:
        stem = stem.replace("-", " ").replace("_", " ").title().replace(" ", rng.choice((" ", "", "_")))
    elif kind < 0.39:
        stem = stem.capitalize()
    elif kind < 0.43:
        stem = pick(rng, ordinary())
    if rng.random() < 0.12:
        stem = stem.replace("_", " ").replace("-", " ")
    return stem, rng.choice(extensions)


def file_name(rng, text=False) -> str:
    if rng.random() < 0.06:
        return rng.choice([one for one in UNIQUE if not text or one[0] != "."])
    return ".".join(stem_and_extension(rng, text))


def folder_path(rng, depth) -> str:
    """A folder's path of exactly the depth."""
    path = rng.choice(split(area(rng)[0], rng.held_out)).split("/")
    while len(path) < depth:
        path.append(pick(rng, rng.choice((QUALIFIERS, rng.choice(AREAS)[0]))).split("/")[-1])
    return "/".join(path[:depth])


# --- contents ---

AMOUNTS = ("2 eggs", "1 onion", "200 g flour", "100 g sugar", "250 ml milk", "1 pinch of salt", "3 tomatoes", "50 g butter")
FOODS = tuple("""milk bread butter eggs cheese apples bananas rice pasta coffee tea sugar flour salt pepper onions tomatoes potatoes
carrots lemons oranges yoghurt honey chocolate mushrooms olives spinach garlic ginger oats beans lentils salmon chicken cream
vinegar mustard almonds raisins cinnamon basil parsley cucumber pumpkin strawberries biscuits juice water""".split())
GOODS = tuple("""pencil notebook stapler lamp chair desk monitor keyboard cable screw hammer paint brush bucket ladder rope battery
charger printer envelope folder backpack tent kettle mug plate towel blanket pillow candle mirror helmet bicycle racket ball
guitar drum camera tripod lens shelf cabinet drill gloves scissors tape glue marker calculator clock umbrella""".split())
SURNAMES = tuple("""Miller Smith Jones Brown Garcia Lopez Martin Bauer Weber Fischer Novak Kowalski Rossi Ricci Dubois Moreau Silva
Santos Tanaka Sato Kim Park Nguyen Singh Patel Khan Ali Hansen Berg Lind Olsen Murphy Kelly Walker Young Baker Cooper Fisher Hill
Wood Green Clark Lewis Evans""".split())
STATES = "open done paid pending shipped late sold ordered returned cancelled new active ok missing".split()
DEPARTMENTS = tuple("sales support marketing kitchen research design logistics finance garage reception".split())
SETTING_KEYS = tuple("""port host timeout retries user password_file log_level debug cache_size max_connections language theme backup
interval path address name version enabled color font_size threads workers memory_limit region mode protocol workspace title
update_url proxy keep_days encoding currency tax_rate quality volume brightness sender""".split())
SETTING_WORDS = tuple("""localhost info warning debug error english german dark light daily weekly hourly utf-8 eu-west euro admin
guest strict fast auto none standard high low main backup.example.org mail.example.org /var/data ./data blue green""".split())
SECTIONS = tuple("server client database mail logging network general display storage backup user cache printer limits paths".split())
EVENTS = (
    "GET /index.html 200", "GET /login 302", "POST /api/orders 201", "GET /favicon.ico 404", "connection closed",
    "connection from 10.0.0.# accepted", "connection from 192.168.1.# refused", "timeout after # s", "retry # of 5",
    "disk usage #%", "request took # ms", "user {p} logged in", "user {p} logged out", "login failed for {p}",
    "backup finished in # s", "backup started", "cache cleared", "job # started", "job # finished", "job # failed",
    "file {f} not found", "file {f} saved", "file {f} opened", "could not open {f}", "service restarted", "worker # stopped",
    "loading {f}", "# records imported", "# rows written", "memory low: # MB left", "mail sent to {p}", "queue length #",
    "certificate expires in # days", "{g} ordered by {p}", "payment # received", "printer out of paper", "update # installed",
)
CHORES = (
    "call {p}", "call the {w}", "buy {f}", "buy {f} and {f}", "water the plants", "pay the rent", "book {l} tickets", "send the invoice to {p}",
    "clean the {w}", "repair the {g}", "return the {g} to {p}", "finish the {w} report", "write to {p} {q}", "fix the {w} bug",
    "order a new {g}", "prepare the {w} for {d}", "renew the passport", "back up the laptop", "cancel the {w} subscription",
    "pick up {p} at the station", "read chapter #", "update the {w}", "plan the trip to {l}", "test the {w}", "ask {p} about the {w}",
    "dentist on {d} at half past %", "meet {p} at % pm", "wash the car", "translate page #",
)
PROSE = (
    "The {w} in {l} was {a}.", "We met {p} at the {w} on {d}.", "{p} will bring the {g}.", "The next meeting is on {d} at % o'clock.",
    "Please send the {w} to {p} before {d}.", "It was decided to buy a new {g}.", "The price rose from #.@ to #.@ euros.",
    "There were # people at the {w}.", "I hope you had a {a} time in {l}.", "Nobody could find the {g}.", "The {w} starts in {m}.",
    "{p} and {p} are responsible for the {w}.", "All {w} reports must be ready by {d}.", "The {a} {w} surprised everybody.",
    "In {m} the {w} moves to {l}.", "We need # pieces of the {g}.", "The budget is # euros.", "Version #.@ was released on {d}.",
    "First, open the {w} and wait for # minutes.", "Then stir the {f} until it is smooth.", "Add the {f} and the {f}.",
    "Bake it for # minutes at 180 degrees.", "Dear {p},", "Best regards, {p}", "Thank you for the {a} {w}.", "See you in {l}!",
    "The rent is due on {d}.", "My phone number is 0# #.", "The key is under the {w}.", "He said that the {w} is {a}.", "{p} was absent.",
    "The {w} and the {w} are both {a}.", "This {w} explains how to install the {w}.", "Do not forget the {f}.", "Page # is missing.",
    "The train to {l} leaves at %:15.", "Attendees: {p}, {p}, {p}", "Topic: {w}", "Deadline: {d}",
)


def decimal(rng) -> str:
    return f"{rng.randint(0, 10 ** rng.randint(1, 4))}.{rng.randint(0, 99):02d}"


def filled(rng, text: str) -> str:
    """Slots of a phrase: person, word, quality, food, good, place, day, month, number, decimals."""
    table = {
        "{p}": lambda: pick(rng, PEOPLE),
        "{w}": lambda: pick(rng, ordinary()),
        "{a}": lambda: pick(rng, QUALITIES),
        "{f}": lambda: pick(rng, FOODS),
        "{g}": lambda: pick(rng, GOODS),
        "{l}": lambda: pick(rng, PLACES),
        "{d}": lambda: rng.choice(DAYS),
        "{m}": lambda: rng.choice(MONTHS),
        "{q}": lambda: rng.choice(("today", "tomorrow", "about the contract", "again")),
    }
    for slot, make in table.items():
        while slot in text:
            text = text.replace(slot, make(), 1)
    while "%" in text.replace("#%", ""):
        text = re.sub(r"(?<!#)%", str(rng.randint(1, 12)), text, count=1)
    while "#" in text:
        text = text.replace("#", str(rng.randint(1, rng.choice((9, 30, 99, 900)))), 1)
    return text.replace("@", str(rng.randint(0, 9)))


def phrase(rng) -> str:
    """A line as it stands in a list or a letter."""
    return filled(rng, rng.choice(PROSE if rng.random() < 0.6 else CHORES))


COLUMNS = {
    "name": lambda rng: pick(rng, PEOPLE) + (" " + pick(rng, SURNAMES) if rng.random() < 0.4 else ""),
    "item": lambda rng: pick(rng, GOODS),
    "product": lambda rng: pick(rng, FOODS + GOODS),
    "city": lambda rng: pick(rng, PLACES),
    "price": decimal,
    "amount": decimal,
    "total": decimal,
    "quantity": lambda rng: str(rng.randint(0, 200)),
    "count": lambda rng: str(rng.randint(0, 2000)),
    "id": lambda rng: str(rng.randint(1, 9999)),
    "date": lambda rng: "2025-%02d-%02d" % (rng.randint(1, 12), rng.randint(1, 28)),
    "status": lambda rng: rng.choice(STATES),
    "department": lambda rng: pick(rng, DEPARTMENTS),
    "email": lambda rng: pick(rng, PEOPLE).lower() + "@example." + rng.choice(("com", "org")),
    "phone": lambda rng: f"0{rng.randint(20, 999)}-{rng.randint(1000, 999999)}",
    "temperature": lambda rng: f"{rng.randint(-9, 39)}.{rng.randint(0, 9)}",
    "month": lambda rng: rng.choice(MONTHS),
    "score": lambda rng: f"{rng.randint(0, 6)}:{rng.randint(0, 6)}",
    "hours": lambda rng: f"{rng.randint(0, 12)}.{rng.choice('05')}",
}
KEY_COLUMNS = "name item product city id date month product item name".split()


def table(rng, count: int, joint=",") -> list:
    """Rows under a head; the first column tells them apart."""
    names = [rng.choice(KEY_COLUMNS)]
    names += rng.sample([one for one in COLUMNS if one != names[0]], rng.randint(1, 3))
    rows = [joint.join(names)] if rng.random() < 0.8 else []
    while len(rows) < count:
        rows.append(joint.join(COLUMNS[name](rng) for name in names))
    return rows[:count]


def log(rng, count: int) -> list:
    hour, minute, second = rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)
    style, day = rng.choice(("{t} {k} {e}", "{day} {t} {k} {e}", "[{t}] {k}: {e}", "{day}T{t} {k} {e}", "{t} {e}")), "2025-%02d-%02d" % (
        rng.randint(1, 12),
        rng.randint(1, 28),
    )
    made = []
    some = [rng.choice(EVENTS) for _ in range(rng.randint(1, 6))]
    for _ in range(count):
        second += rng.randint(0, 70)
        minute, second = (minute + second // 60) % 60, second % 60
        made.append(
            style.format(
                t=f"{hour:02d}:{minute:02d}:{second:02d}",
                day=day,
                k=rng.choice(("INFO", "INFO", "WARN", "ERROR", "DEBUG", "WARNING")),
                e=filled(rng, rng.choice(some)),
            )
        )
    return made


def setting(rng) -> tuple:
    key = pick(rng, SETTING_KEYS)
    value = rng.choice(
        (
            lambda: str(rng.choice((80, 443, 8080, 5432, 3000, 10, 30, 60, 100, 1024, rng.randint(1, 9999)))),
            lambda: pick(rng, SETTING_WORDS),
            lambda: rng.choice(("true", "false", "yes", "no", "on", "off")),
            lambda: f"{rng.randint(0, 9)}.{rng.randint(0, 99)}",
            lambda: pick(rng, ordinary()),
            lambda: pick(rng, PEOPLE).lower(),
        )
    )()
    return key, value


def settings(rng, count: int, kind: str) -> list:
    joint = {"yaml": ": ", "yml": ": "}.get(kind) or rng.choice((" = ", " = ", "="))
    made, used = [], set()
    while len(made) < count:
        if rng.random() < 0.15:
            made.append(f"[{pick(rng, SECTIONS)}]" if joint != ": " else pick(rng, SECTIONS) + ":")
            continue
        if rng.random() < 0.06:
            made.append("# " + filled(rng, "settings for the {w}"))
            continue
        key, value = setting(rng)
        if key not in used or len(used) > 15:
            used.add(key)
            made.append(key + joint + value)
    return made


def code(rng, kind: str, count: int) -> list:
    word = lambda: pick(rng, ordinary())  # noqa: E731
    if kind == "sh":
        makers = (lambda: f"echo \"{filled(rng, rng.choice(PROSE))}\"", lambda: f"cp {word()}.txt backup/", lambda: f"{word().upper()}={rng.randint(1, 99)}",
                  lambda: f"cd {word()}", lambda: f"# {word()} the {word()}", lambda: f"tar -czf {word()}.tar.gz {word()}")
    elif kind == "sql":
        makers = (lambda: f"SELECT {word()} FROM {word()};", lambda: f"UPDATE {word()} SET {word()} = {rng.randint(1, 99)};",
                  lambda: f"DELETE FROM {word()} WHERE id = {rng.randint(1, 99)};", lambda: f"-- {word()} of the {word()}")
    elif kind == "py":
        makers = (lambda: f"import {rng.choice(('os', 'sys', 'json', 'csv', 're', 'math', 'time'))}", lambda: f"def {word()}_{word()}({word()}):",
                  lambda: f"    return {word()} * {rng.randint(1, 99)}", lambda: f"{word()} = {decimal(rng)}", lambda: f"print('{word()} {word()}')",
                  lambda: f"# TODO: {filled(rng, rng.choice(CHORES))}", lambda: f"    {word()}.append({word()})", lambda: f"if {word()} > {rng.randint(1, 99)}:")
    else:
        makers = (lambda: f"int {word()}_count = {rng.randint(0, 99)};", lambda: f"  return {word()};", lambda: f"// TODO: {filled(rng, rng.choice(CHORES))}",
                  lambda: f"#include \"{word()}.h\"", lambda: f"{word()}({word()}, {rng.randint(0, 9)});", lambda: "}", lambda: f"const {word()} = \"{word()}\";")
    return [rng.choice(makers)() for _ in range(count)]


def page(rng, kind: str, count: int) -> list:
    word = lambda: pick(rng, ordinary())  # noqa: E731
    if kind == "css":
        return [f"{rng.choice(('body', 'h1', 'p', 'a', '.' + word()))} {{ {rng.choice(('color', 'width', 'margin'))}: {rng.choice(('red', 'navy', '10px', '80%', '1.5em'))}; }}" for _ in range(count)]
    return [rng.choice((f"<h1>{word()}</h1>", f"<p>{filled(rng, rng.choice(PROSE))}</p>", f"<a href=\"{word()}.html\">{word()}</a>", f"<li>{word()}</li>")) for _ in range(count)]


def listing(rng, count: int) -> list:
    """A list of things, with one mark before each."""
    mark = rng.choice(("", "", "- ", "- ", "* ", "[ ] ", "- [ ] "))
    maker = rng.choice(
        (
            lambda: pick(rng, FOODS),
            lambda: filled(rng, rng.choice(CHORES)),
            lambda: filled(rng, rng.choice(CHORES)),
            lambda: pick(rng, GOODS),
            lambda: pick(rng, PEOPLE) + " " + pick(rng, SURNAMES),
            lambda: filled(rng, "# {f}"),
            lambda: rng.choice((f"{rng.randint(1, 9)}00 g ", f"{rng.randint(1, 9)} cups of ", f"{rng.randint(1, 5)} spoons of ")) + pick(rng, FOODS),
            lambda: pick(rng, FOODS) + ": " + decimal(rng),
            lambda: pick(rng, PEOPLE) + ": " + str(rng.randint(1, 200)),
        )
    )
    return [(mark.replace(" ]", "x]") if "[ ]" in mark and rng.random() < 0.3 else mark) + maker() for _ in range(count)]


def lines(rng, kind: str, count: int) -> list:
    """The content of a file of an extension's kind."""
    if count == 0:
        return []
    if kind in ("csv", "tsv"):
        return table(rng, count, "," if kind == "csv" else "\t")
    if kind == "log":
        return log(rng, count)
    if kind in ("ini", "toml", "cfg", "conf", "yaml", "yml"):
        return settings(rng, count, kind)
    if kind in ("py", "sh", "sql", "js", "c", "cpp", "h", "rs", "go", "java"):
        return code(rng, kind, count)
    if kind in ("html", "css", "xml"):
        return page(rng, kind, count)
    if kind == "json":
        pairs = [setting(rng) for _ in range(max(1, count - 2))]
        inner = [f'  "{key}": ' + (value if value.isdigit() else f'"{value}"') for key, value in pairs]
        return ["{", *(one + "," for one in inner[:-1]), inner[-1], "}"]
    if kind in ("md", "rst", "tex") and rng.random() < 0.7:
        made = ["# " + filled(rng, rng.choice(("{w}", "{w} and {w}", "The {a} {w}", "Meeting on {d}", "Trip to {l}"))).capitalize()]
        if count > 3 and rng.random() < 0.5:
            made.append("")
        while len(made) < count:
            made += [phrase(rng)] if rng.random() < 0.5 else listing(rng, rng.randint(1, 4)) if rng.random() < 0.6 else ["## " + filled(rng, "{w}").capitalize()]
        return made[:count]
    if rng.random() < 0.55:
        return listing(rng, count)
    return [filled(rng, rng.choice(PROSE)) for _ in range(count)]


def fragment(rng) -> str:
    """What people look for, write or replace."""
    return rng.choice(
        (
            lambda: pick(rng, FOODS),
            lambda: pick(rng, GOODS),
            lambda: pick(rng, ordinary()),
            lambda: pick(rng, ordinary()),
            lambda: pick(rng, PEOPLE),
            lambda: pick(rng, PEOPLE) + " " + pick(rng, SURNAMES),
            lambda: filled(rng, rng.choice(CHORES)),
            lambda: filled(rng, rng.choice(CHORES)),
            lambda: filled(rng, rng.choice(PROSE)).rstrip("."),
            lambda: filled(rng, rng.choice(PROSE)),
            lambda: rng.choice((" = ", ": ", "=")).join(setting(rng)),
            lambda: " = ".join(setting(rng)),
            lambda: decimal(rng),
            lambda: ",".join(COLUMNS[name](rng) for name in rng.sample(list(COLUMNS), rng.randint(2, 4))),
            lambda: rng.choice(("TODO", "ERROR", "FIXME", "timeout", "WARN", "failed", "draft", "urgent", "deadline", "invoice")),
            lambda: rng.choice(DAYS + MONTHS),
            lambda: filled(rng, "{a} {w}"),
            lambda: filled(rng, "{w} {w}"),
        )
    )()


def name_of(path: str) -> str:
    """How people call a file, without its extension: `the access log`; nothing if it has no such name."""
    name = path.rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    stem = stem.replace("_", " ").replace("-", " ").lower()
    if not dot or not all(part.isalpha() for part in stem.split()) or len(stem) < 3:
        return ""
    noun = {
        "log": "log", "csv": "table", "tsv": "table", "py": "script", "sh": "script", "ini": "settings", "toml": "settings",
        "cfg": "config", "conf": "config", "yaml": "config", "yml": "config", "json": "data", "html": "page", "css": "styles",
        "sql": "query", "js": "code", "c": "code",
    }.get(extension)  # fmt: skip
    return stem if noun is None or noun in stem or stem.endswith("s") else f"{stem} {noun}"
