package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/waybill-cd/waybill/plugin/manifest"
)

// digest writes the canonical digest of the manifests in the files named, taken
// together, or of standard input.
func (c Call) digest() error {
	var objects []manifest.Object
	for _, name := range c.Args[1:] {
		read, err := readManifestFile(name)
		if err != nil {
			return err
		}
		objects = append(objects, read...)
	}
	if len(c.Args) == 1 {
		read, err := readManifests(c.Stdin)
		if err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		objects = read
	}
	if len(objects) == 0 {
		return errors.New("there is no manifest to take the digest of")
	}
	digest, err := manifest.Digest(objects)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.Stdout, digest)
	return err
}

func readManifestFile(name string) ([]manifest.Object, error) {
	file, err := os.Open(name)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer file.Close()
	objects, err := readManifests(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return objects, nil
}

func readManifests(r io.Reader) ([]manifest.Object, error) {
	data, err := io.ReadAll(io.LimitReader(r, manifest.MaxSize+1))
	if err != nil {
		return nil, err
	}
	return manifest.Parse(data)
}
