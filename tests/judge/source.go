// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// source is a log in the layout of C2SP tlog-tiles.
type source interface {
	read(name string) ([]byte, error)
	// walk visits the files below a folder that may be missing; what is served has no folders.
	walk(name string, visit func(name string) error) error
}

type folder string

func (f folder) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
}

func (f folder) walk(name string, visit func(name string) error) error {
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

// served is a log behind its URL prefix.
type served struct{ url, token string }

func (s served) read(name string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, s.url+"/"+name, nil)
	if err != nil {
		return nil, err
	}
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", name, response.Status)
	}
	return io.ReadAll(response.Body)
}

func (s served) walk(string, func(string) error) error { return nil }

// tilePath is the tile's path without the height that golang.org/x/mod puts in.
func tilePath(t tlog.Tile) string {
	path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

// reader is the tile reader of a stock client.
type reader struct{ source }

func (r reader) Height() int { return height }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := r.read(tilePath(t))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}
