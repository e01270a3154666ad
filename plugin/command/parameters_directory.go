package command

// directoryDefinitions are the parameters of a directory of plain manifests, by
// the names of the fields of its native source (argo-cd,
// ApplicationSourceDirectory).
var directoryDefinitions = []definition{
	{
		name: "recurse", title: "Recurse", form: aBoolean, initial: "false",
		tooltip: `"true" reads the directories below the Application's path too.`,
		set:     setBoolean(func(p *parameters) *bool { return &p.directory.Recurse }),
	},
	{
		name: "include", title: "Include", form: aText,
		tooltip: "A glob of the paths to read, from the Application's path: *.yaml or {a,b}/*. Empty reads all.",
		set:     setText(func(p *parameters) *string { return &p.directory.Include }),
	},
	{
		name: "exclude", title: "Exclude", form: aText,
		tooltip: "A glob of the paths to leave out, from the Application's path.",
		set:     setText(func(p *parameters) *string { return &p.directory.Exclude }),
	},
}
