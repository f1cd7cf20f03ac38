// Verify checks exported trails and proofs of entries with the Go checksum database's own packages: signatures with
// golang.org/x/mod/sumdb/note, trees and proofs with golang.org/x/mod/sumdb/tlog. It shares no code with Gatewarden.
//
//	verify [-key FILE] EXPORTED…
//
// Each EXPORTED is a folder that `gatewarden trail export` wrote, or the .tlog-proof file of one entry, which needs -key.
// It prints a line for each and exits with 1 when one cannot be trusted.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// height is that of a tile in C2SP tlog-tiles: 256 hashes.
const (
	height = 8
	width  = 1 << height
)

// log is the name of a log and what checks its signatures.
type log struct {
	key      string
	verifier note.Verifier
}

func main() {
	path := flag.String("key", "", "the file with the key that you know to be the trail's")
	flag.Parse()
	var known *log
	if *path != "" {
		var err error
		if known, err = readKey(*path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	good := flag.NArg() > 0
	for _, exported := range flag.Args() {
		told, err := verify(exported, known)
		if err != nil {
			told, good = err.Error(), false
		}
		fmt.Printf("%s: %s\n", exported, told)
	}
	if !good {
		os.Exit(1)
	}
}

func verify(path string, known *log) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return verifyFolder(path, known)
	}
	return verifyProof(path, known)
}

func readKey(path string) (*log, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.New("the key is none")
	}
	key := strings.TrimSuffix(string(text), "\n")
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("the key is none: %v", err)
	}
	// The package takes the hash in capitals as well; a key has one form.
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 || parts[1] != fmt.Sprintf("%08x", verifier.KeyHash()) || strings.ContainsAny(key, "\r\n") {
		return nil, errors.New("the key is none")
	}
	return &log{key, verifier}, nil
}

// open answers the tree of a checkpoint that the log's key signed.
func (l *log) open(text []byte) (tlog.Tree, error) {
	var none tlog.Tree
	opened, err := note.Open(text, note.VerifierList(l.verifier))
	if err != nil {
		return none, fmt.Errorf("the checkpoint is not genuine: %v", err)
	}
	for _, signature := range append(opened.Sigs, opened.UnverifiedSigs...) {
		// The package passes over bits that decode to nothing; the note has one form.
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return none, errors.New("the checkpoint has a signature in another form")
		}
	}
	lines := strings.Split(strings.TrimSuffix(opened.Text, "\n"), "\n")
	if len(lines) < 3 || lines[0] != l.verifier.Name() {
		return none, errors.New("the checkpoint is of another log")
	}
	size, err := number(lines[1])
	if err != nil {
		return none, err
	}
	root, err := hash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return n, nil
}

func hash(text string) (tlog.Hash, error) {
	var h tlog.Hash
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(decoded) != len(h) {
		return h, errors.New("something is not a hash")
	}
	copy(h[:], decoded)
	return h, nil
}

// storage holds a log's hashes in the order in which the package stores them.
type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, errors.New("a hash is not there")
		}
		hashes[i] = s[index]
	}
	return hashes, nil
}

func verifyFolder(folder string, known *log) (string, error) {
	own, err := readKey(filepath.Join(folder, "key"))
	if err != nil {
		return "", err
	}
	if known != nil && known.key != own.key {
		return "", errors.New("the key is not the one that you know")
	}
	tree, err := own.open(read(folder, "checkpoint"))
	if err != nil {
		return "", err
	}
	var stored storage
	var entries [][]byte
	for first := int64(0); first < tree.N; first += width {
		bundle, err := checkBundle(folder, first, tree.N, &stored)
		if err != nil {
			return "", err
		}
		entries = append(entries, bundle...)
	}
	if err := checkLevels(folder, tree.N, stored); err != nil {
		return "", err
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil || root != tree.Hash {
		return "", errors.New("the root is not the one that was signed")
	}
	for i, entry := range entries {
		if err := own.checkOrder(int64(i)+1, entry); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d entries verified", tree.N), nil
}

// checkBundle compares each entry of a bundle with the tile of level 0, and stores the hashes.
func checkBundle(folder string, first, size int64, stored *storage) ([][]byte, error) {
	wide := size - first
	if wide > width {
		wide = width
	}
	at := place(first/width, int(wide))
	bundle, tile := read(folder, "tile/entries/"+at), read(folder, "tile/0/"+at)
	var entries [][]byte
	for n := first; n < first+wide; n++ {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, fmt.Errorf("entry %d is missing or cut off", n+1)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		entry := bundle[2:end]
		bundle = bundle[end:]
		leaf := tlog.RecordHash(entry)
		if !bytes.HasPrefix(tile, leaf[:]) {
			return nil, fmt.Errorf("entry %d does not have the hash in its tile", n+1)
		}
		tile = tile[len(leaf):]
		hashes, err := tlog.StoredHashesForRecordHash(n, leaf, *stored)
		if err != nil {
			return nil, err
		}
		*stored = append(*stored, hashes...)
		entries = append(entries, entry)
	}
	if len(bundle) > 0 || len(tile) > 0 {
		return nil, fmt.Errorf("entry %d should be the last of its file", first+wide)
	}
	return entries, nil
}

// checkLevels compares every tile above level 0 with what the package makes of the stored hashes.
func checkLevels(folder string, size int64, stored storage) error {
	level, span := 1, int64(width)
	for hashes := size / width; hashes > 0; hashes /= width {
		for first := int64(0); first < hashes; first += width {
			wide := hashes - first
			if wide > width {
				wide = width
			}
			tile := tlog.Tile{H: height, L: level, N: first / width, W: int(wide)}
			expected, err := tlog.ReadTileData(tile, stored)
			if err != nil {
				return err
			}
			found := read(folder, fmt.Sprintf("tile/%d/%s", level, place(tile.N, tile.W)))
			if !bytes.Equal(found, expected) {
				same := int64(0)
				for same < wide-1 && len(found) >= int(same+1)*32 && bytes.Equal(found[same*32:(same+1)*32], expected[same*32:(same+1)*32]) {
					same++
				}
				return fmt.Errorf("entry %d begins a stretch with another hash at level %d", (first+same)*span+1, level)
			}
		}
		level, span = level+1, span*width
	}
	return nil
}

func (l *log) checkOrder(seq int64, entry []byte) error {
	var says struct {
		Seq          int64
		Organization string
	}
	if err := json.Unmarshal(entry, &says); err != nil {
		return fmt.Errorf("entry %d is not an entry", seq)
	}
	if says.Seq != seq || !strings.Contains(l.verifier.Name(), "/"+says.Organization+"/") {
		return fmt.Errorf("entry %d says that it belongs elsewhere", seq)
	}
	return nil
}

func verifyProof(path string, known *log) (string, error) {
	if known == nil {
		return "", errors.New("a proof holds no key: give it with -key")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return "", errors.New("this is not a proof with its entry")
	}
	entry, err := base64.StdEncoding.Strict().DecodeString(lines[1][len("extra "):])
	if err != nil {
		return "", errors.New("the entry is not base64")
	}
	index, err := number(lines[2][len("index "):])
	if err != nil {
		return "", err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		beside, err := hash(line)
		if err != nil {
			return "", err
		}
		proof = append(proof, beside)
	}
	tree, err := known.open([]byte(checkpoint))
	if err != nil {
		return "", err
	}
	if index >= tree.N {
		return "", errors.New("the checkpoint does not cover the entry")
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return "", errors.New("the entry is not in the log")
	}
	if err := known.checkOrder(index+1, entry); err != nil {
		return "", err
	}
	return fmt.Sprintf("entry %d verified", index+1), nil
}

// place is a tile's position in C2SP's form: three digits an element, all but the last after an x.
func place(index int64, wide int) string {
	path := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		path = fmt.Sprintf("x%03d/%s", index%1000, path)
	}
	if wide < width {
		path += fmt.Sprintf(".p/%d", wide)
	}
	return path
}

// read answers a file's bytes; a file that is not there is found as what is missing in it.
func read(folder, path string) []byte {
	content, err := os.ReadFile(filepath.Join(folder, path))
	if err != nil {
		return nil
	}
	return content
}
