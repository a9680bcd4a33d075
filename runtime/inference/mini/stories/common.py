"""What several kinds of stories share: paths, patterns and words for them."""

import words
from words import clean_path

KINDS = (
    ("text", "txt"),
    ("markdown", "md"),
    ("python", "py"),
    ("Python", "py"),
    ("C++", "cpp"),
    ("csv", "csv"),
    ("CSV", "csv"),
    ("json", "json"),
    ("JSON", "json"),
    ("log", "log"),
    ("pdf", "pdf"),
    ("PDF", "pdf"),
    ("svg", "svg"),
    ("png", "png"),
    ("jpg", "jpg"),
    ("shell", "sh"),
    ("yaml", "yaml"),
    ("xml", "xml"),
    ("html", "html"),
    ("HTML", "html"),
    ("javascript", "js"),
    ("zip", "zip"),
    ("C", "c"),
    ("header", "h"),
    ("Java", "java"),
    ("rust", "rs"),
    ("sql", "sql"),
    ("SQL", "sql"),
    ("css", "css"),
    ("gif", "gif"),
    ("ini", "ini"),
    ("toml", "toml"),
    ("LaTeX", "tex"),
    ("bash", "sh"),
    ("XML", "xml"),
    ("YAML", "yaml"),
    ("mp3", "mp3"),
    ("word", "docx"),
    ("Word", "docx"),
    ("Excel", "xlsx"),
    ("config", "conf"),
    ("backup", "bak"),
    ("sound", "wav"),
    ("PNG", "png"),
    ("SVG", "svg"),
)
SHOW = "(list|show|show me|display|print|give me|tell me|see|view|enumerate|get)"
LARGER = "(larger than|larger than|bigger than|bigger than|over|above|more than|greater than|exceeding|that exceed|that are larger than|that are bigger than|that are over|with more than|which are larger than|of more than|heavier than|with a size over|with a size above|whose size is above|whose size exceeds|whose size is more than|larger in size than)"
SMALLER = "(smaller than|smaller than|under|below|less than|that are smaller than|that are under|that are below|with less than|which are smaller than|of less than|lighter than|with a size under|with a size below|whose size is below|whose size is less than|tinier than)"
WRITE_VERB = "(write|write|write|save|put|store|record)"
SEARCH = "(search for|search for|look for|find|grep for|find all occurrences of|locate|look up|find every mention of|find the text|search for the text|search for the word|find the word|look for the word|find lines with|show lines containing|find all lines that contain|show me every line with)"


def a_folder(rng) -> str:
    """A folder's path as the user writes it."""
    kind = rng.random()
    if kind < 0.2:
        return "."
    path = words.folder_path(rng)
    return (
        "./" + path
        if kind < 0.24
        else path + "/"
        if kind < 0.34
        else "/workspace/" + path
        if kind < 0.36
        else path
    )


def a_file(rng, text=True) -> str:
    """A file's path as the user writes it."""
    path = words.file_path(rng, text)
    kind = rng.random()
    return "./" + path if kind < 0.03 else "/workspace/" + path if kind < 0.04 else path


def under(folder: str, name: str) -> str:
    """The path of an entry that a listing of `folder` shows."""
    return name if folder == "." else folder.rstrip("/") + "/" + name


# What some nouns mean, as alternatives of a glob.
PICTURES, MUSIC, VIDEOS = "{png,jpg,jpeg,gif,svg}", "{mp3,wav,ogg,flac}", "{mp4,mov,avi,mkv}"
ARCHIVES, SCRIPTS = "{zip,tar,gz}", "{py,sh,js}"
# Nouns that are a kind by themselves.
NOUNS_OF_KIND = (
    ("PDFs", "pdf"), ("pdfs", "pdf"), ("spreadsheets", "csv"), ("tables", "csv"), ("csvs", "csv"), ("python scripts", "py"), ("Python programs", "py"),
    ("shell scripts", "sh"), ("scripts in python", "py"), ("logs", "log"), ("log files", "log"), ("logfiles", "log"), ("text files", "txt"),
    ("plain text files", "txt"), ("text documents", "txt"), ("txts", "txt"), ("markdown documents", "md"), ("markdowns", "md"), ("photos", PICTURES), ("jpegs", "{jpg,jpeg}"),
    ("pictures", PICTURES), ("images", PICTURES), ("PNGs", "png"), ("web pages", "html"), ("html pages", "html"), ("stylesheets", "css"), ("css files", "css"),
    ("zip archives", "zip"), ("archives", ARCHIVES), ("zips", "zip"), ("vector graphics", "svg"), ("JSONs", "json"), ("yaml configs", "yaml"), ("ini files", "ini"),
    ("songs in mp3", "mp3"), ("mp3s", "mp3"), ("word documents", "docx"), ("excel sheets", "xlsx"), ("C sources", "c"), ("header files", "h"), ("C headers", "h"),
    ("sql scripts", "sql"), ("SQL queries", "sql"), ("database dumps", "sql"), ("gifs", "gif"), ("backups", "bak"), ("javascripts", "js"), ("java classes", "java"),
    ("go sources", "go"), ("rust sources", "rs"), ("photographs", PICTURES), ("pics", PICTURES), ("image files", PICTURES), ("picture files", PICTURES),
    ("photos", PICTURES), ("pictures", PICTURES), ("images", PICTURES), ("songs", MUSIC), ("music files", MUSIC), ("sound files", MUSIC), ("audio files", MUSIC),
    ("videos", VIDEOS), ("movies", VIDEOS), ("video clips", VIDEOS), ("films", VIDEOS), ("packed files", ARCHIVES), ("scripts", SCRIPTS),
)  # fmt: skip


def a_pattern(rng) -> tuple:
    """A glob and the words that ask for it."""
    kind = rng.random()
    if kind < 0.2:
        noun, extension = rng.choice(NOUNS_OF_KIND)
        return f"*.{extension}", noun
    kind = rng.random()
    if kind < 0.3:
        noun, extension = rng.choice(KINDS)
        return f"*.{extension}", noun + rng.choice(
            (
                " files",
                " files",
                " files",
                " files",
                " documents",
                "s" if noun.isupper() else " files",
                "" if noun.isupper() else " files",
            )
        )
    if kind < 0.8:
        extension = rng.choice(
            (*words.TEXT_EXTENSIONS, *words.OTHER_EXTENSIONS, words.random_letters(rng, 1, 3)[:4])
        )
        form = rng.choice(
            (
                "*.{e} files",
                ".{e} files",
                "{e} files",
                "files ending in .{e}",
                "files with the extension {e}",
                "files with the extension .{e}",
                "files that end with .{e}",
                "files matching *.{e}",
                "*.{e}",
                "files of type {e}",
                "files with extension .{e}",
                "things ending in .{e}",
                "names that end in .{e}",
            )
        )
        return f"*.{extension}", form.replace("{e}", extension)
    part = words.word(rng)
    part = rng.choice((part, part, part.capitalize(), part.upper()))
    if rng.random() < 0.5:
        return part + "*", rng.choice(
            (
                "files starting with {p}",
                "files whose name starts with {p}",
                "files whose names begin with {p}",
                "files beginning with {p}",
                "files named {p}*",
                "files matching {p}*",
                "things starting with {p}",
                "documents beginning with {p}",
                "names that start with {p}",
                "files that start with {p}",
            )
        ).replace("{p}", part)
    return f"*{part}*", rng.choice(
        (
            "files with {p} in the name",
            "files whose name contains {p}",
            "files whose names contain {p}",
            "files that have {p} in their name",
            "files matching *{p}*",
        )
    ).replace("{p}", part)


def one_of(rng, glob: str) -> str:
    """The glob with one of its alternatives."""
    head, brace, rest = glob.partition("{")
    return head + rng.choice(rest.partition("}")[0].split(",")) if brace else glob


def matching_names(story, folder, glob, count=(0, 6)):
    """Add files to the folder that match the glob."""
    rng = story.rng
    for _ in range(rng.randint(*count)):
        pattern = one_of(rng, glob)
        filler = words.stem(rng).replace("*", "")
        name = (
            pattern.replace("*", filler, 1)
            if pattern.startswith("*.")
            else pattern.replace("*", filler + "." + rng.choice(words.TEXT_EXTENSIONS))
            if pattern[0] != "*"
            else pattern.replace("*", "", 1).replace("*", rng.choice(("", "-" + filler)) + ".txt")
        )
        story.add_file(under(clean_path(folder), name), size=words.size(rng))


def counted(result: str, noun="") -> str:
    """`2 files and 1 directory`, from a listing's header."""
    header = result.split("\n")[0].split(" (first")[0]
    parts = [part for part in header.split(", ") if not part.startswith("0 ")]
    return " and ".join(parts) + noun


def verb_be(text: str) -> str:
    return "is" if text.startswith("1 ") else "are"
