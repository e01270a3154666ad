package process

// DeathError tells of a process that ended although nobody stopped it. It carries
// the end of its log.
type DeathError struct {
	Name string
	err  error
}

func (d *DeathError) Error() string { return d.err.Error() }

// Unwrap returns what is known of the cause.
func (d *DeathError) Unwrap() error { return d.err }
