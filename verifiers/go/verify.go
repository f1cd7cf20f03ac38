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
	"crypto/sha256"
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

// log is the name of a log in one of its epochs, and what checks its signatures.
type log struct {
	name     string // without the epoch
	epoch    int64
	public   string // the key without name and hash
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
	return newLog(strings.TrimSuffix(string(text), "\n"))
}

func newLog(key string) (*log, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("the key is none: %v", err)
	}
	// The package takes the hash in capitals as well; a key has one form.
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 || parts[1] != fmt.Sprintf("%08x", verifier.KeyHash()) || strings.ContainsAny(key, "\r\n") {
		return nil, errors.New("the key is none")
	}
	name, epoch, err := splitEpoch(parts[0])
	if err != nil {
		return nil, errors.New("the key names no epoch")
	}
	return &log{name, epoch, parts[2], verifier}, nil
}

// splitEpoch answers the name that the epochs of a log share, and which of them an origin names.
func splitEpoch(origin string) (string, int64, error) {
	at := strings.LastIndex(origin, "/")
	epoch, err := number(origin[at+1:])
	if at < 0 || err != nil || epoch == 0 {
		return "", 0, errors.New("this names no epoch")
	}
	return origin[:at], epoch, nil
}

// isSameLog says whether both are of one log, in whichever epochs.
func (l *log) isSameLog(other *log) bool {
	return l.name == other.name && l.public == other.public
}

// inEpoch is the same log in another epoch.
func (l *log) inEpoch(epoch int64) (*log, error) {
	public, err := base64.StdEncoding.DecodeString(l.public)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s/%d", l.name, epoch)
	digest := sha256.Sum256(append([]byte(name+"\n"), public...))
	return newLog(fmt.Sprintf("%s+%x+%s", name, digest[:4], l.public))
}

// toldEpoch says which epoch something is of, where that is not the known key's, or not the first.
func toldEpoch(epoch int64, known *log) string {
	switch {
	case known != nil && epoch < known.epoch:
		return fmt.Sprintf(" in epoch %d; from the entry on that began epoch %d or one between, it is superseded", epoch, known.epoch)
	case epoch == 1:
		return ""
	default:
		return fmt.Sprintf(" in epoch %d", epoch)
	}
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
	if known != nil && !known.isSameLog(own) {
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
	epoch := int64(1)
	for i, entry := range entries {
		after, err := own.checkOrder(int64(i)+1, entry)
		if err != nil {
			return "", err
		}
		if after > 0 {
			epoch = after
		}
	}
	if epoch != own.epoch {
		return "", fmt.Errorf("the checkpoint is of epoch %d, but the entries end in epoch %d", own.epoch, epoch)
	}
	return fmt.Sprintf("%d entries verified%s", tree.N, toldEpoch(epoch, known)), nil
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

// checkOrder checks that an entry belongs where it is, and answers the epoch that it leaves its organization in; 0 when
// it does not say.
func (l *log) checkOrder(seq int64, entry []byte) (int64, error) {
	var says struct {
		Seq          int64
		Organization string
		Changes      []struct {
			Kind  string
			After json.RawMessage
		}
	}
	if err := json.Unmarshal(entry, &says); err != nil {
		return 0, fmt.Errorf("entry %d is not an entry", seq)
	}
	if says.Seq != seq || !strings.HasSuffix(l.name, "/"+says.Organization) {
		return 0, fmt.Errorf("entry %d says that it belongs elsewhere", seq)
	}
	var epoch struct{ Epoch int64 }
	for _, change := range says.Changes {
		if change.Kind != "organization" {
			continue
		}
		if err := json.Unmarshal(change.After, &epoch); err != nil {
			return 0, fmt.Errorf("entry %d is not an entry", seq)
		}
	}
	return epoch.Epoch, nil
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
	own := known
	origin, _, _ := strings.Cut(checkpoint, "\n")
	if name, epoch, err := splitEpoch(origin); err == nil && name == known.name {
		if own, err = known.inEpoch(epoch); err != nil {
			return "", err
		}
	}
	tree, err := own.open([]byte(checkpoint))
	if err != nil {
		return "", err
	}
	if index >= tree.N {
		return "", errors.New("the checkpoint does not cover the entry")
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return "", errors.New("the entry is not in the log")
	}
	if _, err := own.checkOrder(index+1, entry); err != nil {
		return "", err
	}
	return fmt.Sprintf("entry %d verified%s", index+1, toldEpoch(own.epoch, known)), nil
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
