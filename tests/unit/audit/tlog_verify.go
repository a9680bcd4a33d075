// Checks an audit log with Go's own packages for transparency logs, golang.org/x/mod/sumdb/{note,tlog}:
// signature, every record, inclusion of each and consistency with older sizes. No hash and no signature is
// computed here. Records that were pruned are known by their hashes only: those must lead to every root, and a record
// that was signed must say which went. "go run tlog_verify.go DIR"; docs/audit-log.md.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}

func read(dir, path string) []byte {
	bytes, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		fail("read", err)
	}
	return bytes
}

// A bundle as it was, or one that was compressed, unpacked by zstd(1). Nil when there is neither.
func readBundle(dir, path string) []byte {
	bytes, err := os.ReadFile(filepath.Join(dir, path))
	if err == nil {
		return bytes
	}
	packed := filepath.Join(dir, path) + ".zst"
	if _, err := os.Stat(packed); err != nil {
		return nil
	}
	bytes, err = exec.Command("zstd", "-dcq", packed).Output()
	if err != nil {
		fail("zstd "+packed, err)
	}
	return bytes
}

// The bytes of a bundle's records: each after its length.
func entries(bundle []byte, begin int64) [][]byte {
	var all [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(bundle[0])<<8+int(bundle[1]) {
			fail("bundle", fmt.Errorf("record %d is not whole", begin+int64(len(all))))
		}
		end := 2 + int(bundle[0])<<8 + int(bundle[1])
		all = append(all, bundle[2:end])
		bundle = bundle[end:]
	}
	return all
}

// What log.pruned says of the records before its "before".
type pruning struct {
	Before int64
	Root   string
}

// The zero value for any other record.
func pruningIn(record []byte, index int64) pruning {
	var envelope struct {
		Event string
		Data  json.RawMessage
	}
	var said pruning
	err := json.Unmarshal(record, &envelope)
	if err == nil && envelope.Event == "log.pruned" {
		err = json.Unmarshal(envelope.Data, &said)
	}
	if err != nil {
		fail(fmt.Sprintf("record %d", index), err)
	}
	return said
}

func numberPath(n int64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	return path
}

func withWidth(path string, width int64) string {
	if width != 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// The layout of C2SP tlog-tiles; the library's own has the height in the path.
type reader struct{ dir string }

func (r reader) Height() int                     { return 8 }
func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		path := withWidth(fmt.Sprintf("tile/%d/%s", tile.L, numberPath(tile.N)), int64(tile.W))
		bytes, err := os.ReadFile(filepath.Join(r.dir, path))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func verifierOf(line string) note.Verifier {
	verifier, err := note.NewVerifier(strings.TrimSpace(line))
	if err != nil {
		fail("key", err)
	}
	return verifier
}

func sizeOf(text string) int64 {
	size, err := strconv.ParseInt(strings.Split(text, "\n")[1], 10, 64)
	if err != nil {
		fail("size", err)
	}
	return size
}

// Which key signs trees of this size: each change is signed by the key before it and by the new one.
func verifierFor(dir string, size int64) note.Verifier {
	changes, err := os.ReadFile(filepath.Join(dir, "keys"))
	if err != nil {
		return verifierOf(string(read(dir, "key.pub")))
	}
	parts := strings.Split(strings.TrimSuffix(string(changes), "\n\n"), "\n\n")
	verifier := verifierOf(parts[0])
	for i := 1; i+1 < len(parts); i += 2 {
		signed := []byte(parts[i] + "\n\n" + parts[i+1] + "\n")
		change, err := note.Open(signed, note.VerifierList(verifier))
		if err != nil {
			fail("change of the key", err)
		}
		next := verifierOf(strings.TrimPrefix(strings.Split(change.Text, "\n")[3], "next-key "))
		if _, err := note.Open(signed, note.VerifierList(next)); err != nil {
			fail("change of the key, by the new one", err)
		}
		if size <= sizeOf(change.Text) {
			return verifier
		}
		verifier = next
	}
	return verifier
}

func main() {
	dir := os.Args[1]
	text := read(dir, "checkpoint")
	verifier := verifierFor(dir, sizeOf(string(text)))
	checkpoint, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint", err)
	}
	lines := strings.Split(checkpoint.Text, "\n")
	size := sizeOf(checkpoint.Text)
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		fail("checkpoint", err)
	}
	tree := tlog.Tree{N: size, Hash: root}
	hashes := tlog.TileHashReader(tree, reader{dir}) // what it answers is checked against the root

	first := int64(0)
	for first < size && readBundle(dir, "tile/entries/"+numberPath(first/256)) == nil {
		first += 256
	}
	stated := first == 0
	for begin := int64(0); begin < size; begin += 256 {
		width := size - begin
		if width > 256 {
			width = 256
		}
		var indexes []int64
		for i := begin; i < begin+width; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, i))
		}
		expected, err := hashes.ReadHashes(indexes)
		if err != nil {
			fail("tiles", err)
		}
		found := expected // all that is left of records that were pruned
		if begin >= first {
			bundle := readBundle(dir, withWidth("tile/entries/"+numberPath(begin/256), width))
			records := entries(bundle, begin)
			if int64(len(records)) != width {
				fail("bundle", fmt.Errorf("%d of %d records from %d on", len(records), width, begin))
			}
			found = nil
			for _, record := range records {
				found = append(found, tlog.RecordHash(record))
				said := pruningIn(record, begin+int64(len(found))-1)
				if said.Before > 0 && said.Before >= first && said.Before%256 == 0 && said.Before <= size {
					root, err := tlog.TreeHash(said.Before, hashes)
					if err != nil {
						fail("pruned root", err)
					}
					stated = stated || fmt.Sprintf("%x", root[:]) == said.Root
				}
			}
		}
		for i := range found {
			if found[i] != expected[i] {
				fail("record", fmt.Errorf("%d is not the one that was signed", begin+int64(i)))
			}
		}
		// One of each bundle, and the tree before it.
		index := begin + width/2
		proof, err := tlog.ProveRecord(size, index, hashes)
		if err != nil {
			fail("prove", err)
		}
		if err := tlog.CheckRecord(proof, size, root, index, found[index-begin]); err != nil {
			fail("inclusion", err)
		}
		old, err := tlog.TreeHash(index+1, hashes)
		if err != nil {
			fail("old root", err)
		}
		treeProof, err := tlog.ProveTree(size, index+1, hashes)
		if err != nil {
			fail("prove", err)
		}
		if err := tlog.CheckTree(treeProof, size, root, index+1, old); err != nil {
			fail("consistency", err)
		}
	}
	if !stated {
		fail("records", fmt.Errorf("those before %d are missing, and no signed record says that they were pruned", first))
	}
	fmt.Printf("ok: %d records, %d of them pruned\n", size, first)
}
