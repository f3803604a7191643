// SPDX-License-Identifier: Apache-2.0

// Judge reads a log directory, laid out as C2SP tlog-tiles has it, with golang.org/x/mod/sumdb
// alone: nothing of it was written for consentd. It recomputes the tree from the entries, and holds
// every byte of every tile, the checkpoint and its signatures, and what proofs and requests to
// witnesses stand beside them, against it.
//
//	judge FOLDER VKEY [WITNESS_VKEY]
//
// Prints "good, N entries" and exits 0, or says what is wrong and exits 1.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of a tile

// storedHashes is a whole tree in memory, in the order of tlog.StoredHashIndex.
type storedHashes []tlog.Hash

func (s storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d is beyond the tree", index)
		}
		out[i] = s[index]
	}
	return out, nil
}

// folder is a log directory, and the tile reader of a stock client on it.
type folder string

func (f folder) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
}

// tilePath is the tile's path without the height that golang.org/x/mod puts in.
func tilePath(t tlog.Tile) string {
	path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := f.read(tilePath(t))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// checkpoint verifies the note by each of verifiers and reads its text.
func checkpoint(bytes []byte, verifiers []note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	signed, err := note.Open(bytes, note.VerifierList(verifiers...))
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	if len(signed.Sigs) != len(verifiers) {
		return tree, fmt.Errorf("checkpoint: %d of %d have signed", len(signed.Sigs), len(verifiers))
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifiers[0].Name() || lines[3] != "" {
		return tree, fmt.Errorf("checkpoint: not its form: %q", signed.Text)
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(tree.N, 10) != lines[1] {
		return tree, fmt.Errorf("checkpoint: size %q", lines[1])
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// entries reads the bundles of all tiles of level 0.
func entries(f folder, tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		if t.L != 0 {
			continue
		}
		t.L = -1
		bundle, err := f.read(tilePath(t))
		if err != nil {
			return nil, err
		}
		for i := 0; i < t.W; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("%s: ends within entry %d", tilePath(t), i)
			}
			size := 2 + int(binary.BigEndian.Uint16(bundle))
			all = append(all, bundle[2:size])
			bundle = bundle[size:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("%s: %d bytes too many", tilePath(t), len(bundle))
		}
	}
	return all, nil
}

// treeHash is the root at an earlier size; that of the empty tree is RFC 6962's, which this release
// of tlog does not know.
func treeHash(size int64, stored storedHashes) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, stored)
}

func grow(all [][]byte) (storedHashes, error) {
	var stored storedHashes
	for i, entry := range all {
		more, err := tlog.StoredHashes(int64(i), entry, stored)
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	return stored, nil
}

// checkTiles holds each tile against the tree, and that there is no other file.
func checkTiles(f folder, tiles []tlog.Tile, stored storedHashes) error {
	expected := make(map[string]bool)
	for _, t := range tiles {
		want, err := tlog.ReadTileData(t, stored)
		if err != nil {
			return err
		}
		got, err := f.read(tilePath(t))
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s: not the tree's hashes", tilePath(t))
		}
		expected[tilePath(t)] = true
		if t.L == 0 {
			t.L = -1
			expected[tilePath(t)] = true
		}
	}
	return walk(f, "tile", func(name string) error {
		if !expected[name] {
			return fmt.Errorf("%s: no such tile in this tree", name)
		}
		return nil
	})
}

// walk visits the files below a folder that may be missing.
func walk(f folder, name string, visit func(name string) error) error {
	err := filepath.WalkDir(filepath.Join(string(f), name),
		func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			relative, err := filepath.Rel(string(f), path)
			if err != nil {
				return err
			}
			return visit(filepath.ToSlash(relative))
		})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// checkClient proves entries as a stock client does that has the checkpoint and the tiles alone.
func checkClient(f folder, tree tlog.Tree, all [][]byte) error {
	reader := tlog.TileHashReader(tree, f)
	for index := int64(0); index < tree.N; index += 1 + tree.N/50 {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		hash := tlog.RecordHash(all[index])
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, hash); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

// split takes a text apart: the number behind label, the hashes, and the checkpoint.
func split(text []byte, label string) (int64, []tlog.Hash, []byte, error) {
	head, rest, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || !strings.HasPrefix(lines[0], label) {
		return 0, nil, nil, errors.New("not its form")
	}
	number, err := strconv.ParseInt(strings.TrimPrefix(lines[0], label), 10, 64)
	if err != nil {
		return 0, nil, nil, err
	}
	var hashes []tlog.Hash
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, nil, err
		}
		hashes = append(hashes, hash)
	}
	return number, hashes, rest, nil
}

// checkProof holds a proof file (C2SP tlog-proof) against the tree.
func checkProof(text, signed []byte, tree tlog.Tree, all [][]byte) error {
	head := []byte("c2sp.org/tlog-proof@v1\n")
	if !bytes.HasPrefix(text, head) {
		return errors.New("no proof file")
	}
	index, hashes, rest, err := split(text[len(head):], "index ")
	if err != nil {
		return err
	}
	if !bytes.Equal(rest, signed) || index >= tree.N {
		return errors.New("not of this tree")
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(all[index]))
}

// checkRequest holds a request body (C2SP tlog-witness) against the tree at its old size.
func checkRequest(text, signed []byte, tree tlog.Tree, stored storedHashes) error {
	old, hashes, rest, err := split(text, "old ")
	if err != nil {
		return err
	}
	if !bytes.Equal(rest, signed) || old > tree.N {
		return errors.New("not of this tree")
	}
	if old == 0 {
		if len(hashes) != 0 {
			return errors.New("a proof from the empty tree")
		}
		return nil
	}
	root, err := tlog.TreeHash(old, stored)
	if err != nil {
		return err
	}
	return tlog.CheckTree(hashes, tree.N, tree.Hash, old, root)
}

func judge(f folder, verifiers []note.Verifier) (int64, error) {
	signed, err := f.read("checkpoint")
	if err != nil {
		return 0, err
	}
	tree, err := checkpoint(signed, verifiers)
	if err != nil {
		return 0, err
	}
	tiles := tlog.NewTiles(height, 0, tree.N)
	all, err := entries(f, tiles)
	if err != nil {
		return 0, err
	}
	stored, err := grow(all)
	if err != nil {
		return 0, err
	}
	root, err := treeHash(tree.N, stored)
	if err != nil {
		return 0, err
	}
	if root != tree.Hash {
		return 0, fmt.Errorf("the entries have root %v, the checkpoint says %v", root, tree.Hash)
	}
	if err := checkTiles(f, tiles, stored); err != nil {
		return 0, err
	}
	if err := checkClient(f, tree, all); err != nil {
		return 0, err
	}
	beside := func(name string, check func(text []byte) error) error {
		return walk(f, name, func(file string) error {
			text, err := f.read(file)
			if err == nil {
				err = check(text)
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", file, err)
			}
			return err
		})
	}
	err = beside("proofs", func(text []byte) error { return checkProof(text, signed, tree, all) })
	if err == nil {
		err = beside("requests",
			func(text []byte) error { return checkRequest(text, signed, tree, stored) })
	}
	return tree.N, err
}

func run() error {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		return errors.New("usage: judge FOLDER VKEY [WITNESS_VKEY]")
	}
	log, err := note.NewVerifier(os.Args[2])
	if err != nil {
		return err
	}
	verifiers := []note.Verifier{log}
	if len(os.Args) == 4 {
		witness, err := newCosigner(os.Args[3])
		if err != nil {
			return err
		}
		verifiers = append(verifiers, witness)
	}
	size, err := judge(folder(os.Args[1]), verifiers)
	if err == nil {
		fmt.Printf("good, %d entries\n", size)
	}
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
