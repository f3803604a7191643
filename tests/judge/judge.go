// SPDX-License-Identifier: Apache-2.0

// Judge reads a log directory, laid out as C2SP tlog-tiles has it, with golang.org/x/mod/sumdb
// alone: nothing of it was written for consentd. It recomputes the tree from the entries, and holds
// every byte of every tile, the checkpoint and its signatures, and what proofs and requests to
// witnesses stand beside them, against it. A log that is served it reads by its URL prefix, as often
// as -rounds says, each time when it has grown, and holds each checkpoint against the one before.
//
//	judge [-token FILE] [-rounds N] FOLDER|URL VKEY [WITNESS_VKEY]
//
// Prints "good, N entries" for each round and exits 0, or says what is wrong and exits 1.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height     = 8    // of a tile
	idleRounds = 1000 // in which a log does not grow that should
)

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
func entries(f source, tiles []tlog.Tile) ([][]byte, error) {
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
func checkTiles(f source, tiles []tlog.Tile, stored storedHashes) error {
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
	return f.walk("tile", func(name string) error {
		if !expected[name] {
			return fmt.Errorf("%s: no such tile in this tree", name)
		}
		return nil
	})
}

// checkClient proves entries as a stock client does that has the checkpoint and the tiles alone.
func checkClient(f source, tree tlog.Tree, all [][]byte) error {
	hashes := tlog.TileHashReader(tree, reader{f})
	for index := int64(0); index < tree.N; index += 1 + tree.N/50 {
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
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

// checkGrowth holds a checkpoint against one that was seen before, by the tiles of now.
func checkGrowth(f source, before, tree tlog.Tree) error {
	if before.N == 0 {
		return nil
	}
	if before.N > tree.N {
		return fmt.Errorf("checkpoint: of %d entries, after one of %d", tree.N, before.N)
	}
	proof, err := tlog.ProveTree(tree.N, before.N, tlog.TileHashReader(tree, reader{f}))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash)
}

func judge(f source, verifiers []note.Verifier) (tlog.Tree, error) {
	signed, err := f.read("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := checkpoint(signed, verifiers)
	if err != nil {
		return tlog.Tree{}, err
	}
	tiles := tlog.NewTiles(height, 0, tree.N)
	all, err := entries(f, tiles)
	if err != nil {
		return tlog.Tree{}, err
	}
	stored, err := grow(all)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := treeHash(tree.N, stored)
	if err != nil {
		return tlog.Tree{}, err
	}
	if root != tree.Hash {
		return tlog.Tree{}, fmt.Errorf("the entries have root %v, the checkpoint says %v", root, tree.Hash)
	}
	if err := checkTiles(f, tiles, stored); err != nil {
		return tlog.Tree{}, err
	}
	if err := checkClient(f, tree, all); err != nil {
		return tlog.Tree{}, err
	}
	beside := func(name string, check func(text []byte) error) error {
		return f.walk(name, func(file string) error {
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
	return tree, err
}

func run() error {
	tokenFile := flag.String("token", "", "file with the bearer token for a log that is served")
	rounds := flag.Int("rounds", 1, "how often to judge it, each time when it has grown")
	flag.Parse()
	arguments := flag.Args()
	if len(arguments) < 2 || len(arguments) > 3 {
		return errors.New("usage: judge [-token FILE] [-rounds N] FOLDER|URL VKEY [WITNESS_VKEY]")
	}
	log, err := note.NewVerifier(arguments[1])
	if err != nil {
		return err
	}
	verifiers := []note.Verifier{log}
	if len(arguments) == 3 {
		witness, err := newCosigner(arguments[2])
		if err != nil {
			return err
		}
		verifiers = append(verifiers, witness)
	}
	var from source = folder(arguments[0])
	if strings.HasPrefix(arguments[0], "http://") || strings.HasPrefix(arguments[0], "https://") {
		token, err := os.ReadFile(*tokenFile)
		if *tokenFile != "" && err != nil {
			return err
		}
		from = served{arguments[0], strings.TrimSpace(string(token))}
	}
	var before tlog.Tree
	for round, idle := 0, 0; round < *rounds; {
		tree, err := judge(from, verifiers)
		if err == nil {
			err = checkGrowth(from, before, tree)
		}
		if err != nil {
			return err
		}
		if idle++; idle > idleRounds {
			return fmt.Errorf("checkpoint: still of %d entries", tree.N)
		}
		if round == 0 || tree.N > before.N {
			fmt.Printf("good, %d entries\n", tree.N)
			round, idle = round+1, 0
		}
		before = tree
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
