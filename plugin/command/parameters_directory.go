package command

import "github.com/waybill-cd/waybill/extension/parameters"

// directoryDefinitions are the parameters of a directory of plain manifests, by
// the names of the fields of its native source (argo-cd,
// ApplicationSourceDirectory).
func directoryDefinitions() []definition {
	return []definition{
		{
			name: parameters.Recurse, title: "Recurse",
			tooltip: `"true" reads the directories below the Application's path too.`,
			set:     setBoolean(func(p *settings) *bool { return &p.directory.Recurse }),
		},
		{
			name: parameters.Include, title: "Include",
			tooltip: "A glob of the paths to read, from the Application's path: *.yaml or {a,b}/*. Empty reads all.",
			set:     setText(func(p *settings) *string { return &p.directory.Include }),
		},
		{
			name: parameters.Exclude, title: "Exclude",
			tooltip: "A glob of the paths to leave out, from the Application's path.",
			set:     setText(func(p *settings) *string { return &p.directory.Exclude }),
		},
	}
}
