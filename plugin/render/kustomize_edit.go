package render

import (
	"fmt"
	"path/filepath"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// kustomization reads the kustomization of a directory the way kustomize does,
// and returns its path too.
func (f fileSystem) kustomization(dir string) (k *types.Kustomization, name string, err error) {
	var found []byte
	for _, file := range konfig.RecognizedKustomizationFileNames() {
		data, err := f.read(filepath.Join(dir, file))
		if err != nil {
			continue
		}
		if name != "" {
			return nil, "", fmt.Errorf("%s and %s are both there", f.checkout.tell(name), file)
		}
		found, name = data, filepath.Join(dir, file)
	}
	if name == "" {
		return nil, "", fmt.Errorf("there is no kustomization in %s", f.checkout.tell(dir))
	}
	k = &types.Kustomization{}
	if err := k.Unmarshal(found); err != nil {
		return nil, "", err
	}
	k.FixKustomization()
	return k, name, nil
}

// edit makes the kustomization of the Application's path what the options make
// of it. Argo CD runs `kustomize edit` for that, which writes to the checkout;
// here the file is served as if it were written.
func (g *graph) edit(o KustomizeOptions) error {
	if o.isEmpty() {
		return nil
	}
	k, name, err := g.files.kustomization(g.checkout.path)
	if err != nil {
		return g.explain(err)
	}
	components, err := g.files.components(o)
	if err != nil {
		return err
	}
	if err := o.edit(k, components); err != nil {
		return err
	}
	data, err := yaml.Marshal(k)
	if err != nil {
		return g.explain(fmt.Errorf("it cannot be edited: %w", err))
	}
	resolved, _, err := g.files.resolve(name)
	if err != nil {
		return g.explain(err)
	}
	// A link is written through.
	g.files.edited[name], g.files.edited[resolved] = data, data
	return nil
}
