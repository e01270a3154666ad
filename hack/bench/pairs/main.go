// Command pairs runs two commands in turn for the benchmarks. It is a program of
// its own because what a process had resident counts as its children's peak too
// (Linux, exec_mmap): whoever starts them must be small.
package main

import (
	"fmt"
	"os"

	"github.com/waybill-cd/waybill/hack/bench/pair"
)

func main() {
	if err := pair.Run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
