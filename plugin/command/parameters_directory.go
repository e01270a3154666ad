package command

// directoryDefinitions are the parameters of a directory of plain manifests: the
// fields of an Application's spec.source.directory.
func directoryDefinitions() []definition {
	return []definition{
		{
			name: "recurse", title: "Recurse", form: aBoolean, initial: "false",
			tooltip: `"true" reads the directories below the Application's path too.`,
			set:     intoBoolean(func(p *parameters) *bool { return &p.options.Directory.Recurse }),
		},
		{
			name: "include", title: "Include", form: aText,
			tooltip: "A glob of the paths to read, from the Application's path: *.yaml or {a,b}/*. Empty reads all.",
			set:     intoText(func(p *parameters) *string { return &p.options.Directory.Include }),
		},
		{
			name: "exclude", title: "Exclude", form: aText,
			tooltip: "A glob of the paths to leave out, from the Application's path.",
			set:     intoText(func(p *parameters) *string { return &p.options.Directory.Exclude }),
		},
	}
}
