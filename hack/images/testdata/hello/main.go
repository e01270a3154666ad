// The command hello stands for a product in the tests of the images.
package main

import "fmt"

var version = "none"

func main() { fmt.Println("hello", version) }
