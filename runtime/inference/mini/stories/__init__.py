"""The kinds of stories, and how often each is told."""

from stories.chains import (
    copy_text,
    list_then_read,
    note_from_file,
    read_then_edit,
    save_count,
    save_listing,
    save_output,
    save_search,
    save_sizes,
    write_then_check,
)
from stories.listing import count_files, extreme, find_file, list_by_size, list_folder, list_kind
from stories.long_chains import (
    append_if_missing,
    arrange_kind,
    compare_folders,
    each_of_kind,
    find_then,
    line_elsewhere,
    merge,
    read_top,
    read_what_mentions,
    replace_everywhere,
    save_then_check,
    search_both,
    unless_there,
    use_extreme,
    write_note,
)
from stories.notes import recall, take_note
from stories.programs import run_program, use_program
from stories.reading import line_count, read_file, read_part
from stories.references import then_it, then_one_of_them, then_recall, then_write_names, two_tasks
from stories.refusals import destroy, outside, protected
from stories.searching import search_text
from stories.sequence import sequence, several
from stories.talk import chatter, out_of_scope, unclear
from stories.writing import append_file, edit_file, write_file

STORIES = (
    (list_folder, 8),
    (list_kind, 8),
    (find_file, 3),
    (count_files, 3),
    (list_by_size, 6),
    (extreme, 5),
    (read_file, 8),
    (read_part, 4),
    (line_count, 4),
    (search_text, 12),
    (write_file, 8),
    (append_file, 5),
    (edit_file, 8),
    (run_program, 7),
    (use_program, 5),
    (take_note, 4),
    (recall, 4),
    (outside, 5),
    (protected, 3),
    (destroy, 2),
    (save_sizes, 13),
    (save_listing, 4),
    (save_search, 2.5),
    (copy_text, 3.5),
    (save_count, 1),
    (read_then_edit, 1.5),
    (list_then_read, 2.5),
    (write_then_check, 1.5),
    (save_output, 1.5),
    (note_from_file, 0.5),
    (then_write_names, 2.5),
    (then_one_of_them, 1.5),
    (then_it, 3.5),
    (then_recall, 0.7),
    (two_tasks, 2),
    (append_if_missing, 1.8),
    (arrange_kind, 1.8),
    (compare_folders, 1.8),
    (each_of_kind, 3),
    (find_then, 3),
    (line_elsewhere, 1.8),
    (merge, 2.5),
    (read_top, 2.5),
    (read_what_mentions, 3),
    (replace_everywhere, 3.5),
    (save_then_check, 2.5),
    (search_both, 1.8),
    (unless_there, 1.8),
    (use_extreme, 3.5),
    (write_note, 1.8),
    (sequence, 12),
    (several, 4),
    (chatter, 8),
    (out_of_scope, 7),
    (unclear, 1),
)
