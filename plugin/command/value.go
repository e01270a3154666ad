package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/plugin/refusal"
)

// value is one entry of ARGOCD_APP_PARAMETERS: a parameter as an Application
// sets it.
type value struct {
	Name   string            `json:"name"`
	String *string           `json:"string"`
	Array  []string          `json:"array"`
	Map    map[string]string `json:"map"`
}

// oneOf returns a text that must be one of those allowed, or empty.
func (v value) oneOf(allowed ...string) (string, error) {
	if text, ok := v.text(); ok && slices.Contains(append(allowed, ""), text) {
		return text, nil
	}
	want := strings.Join(allowed, " or ")
	return "", refusal.New(fmt.Sprintf("its plugin parameter %s is not %s", v.Name, want), "set string: "+want+", or remove it")
}

func (v value) boolean() (bool, error) {
	text, err := v.oneOf("true", "false")
	return text == "true", err
}

func (v value) text() (string, bool) {
	if v.String == nil || v.Array != nil || v.Map != nil {
		return "", false
	}
	return *v.String, true
}

// textual returns a text, whatever it says.
func (v value) textual() (string, error) {
	if text, ok := v.text(); ok {
		return text, nil
	}
	return "", refusal.New(fmt.Sprintf("its plugin parameter %s is no text", v.Name), "write string: …")
}

// texts returns a map of texts. example is how a user writes one.
func (v value) texts(example string) (map[string]string, error) {
	if v.String != nil || v.Array != nil {
		return nil, refusal.New(fmt.Sprintf("its plugin parameter %s is no map", v.Name), "write map: "+example)
	}
	return v.Map, nil
}

// list returns the elements. example is how a user writes one.
func (v value) list(example string) ([]string, error) {
	if v.String != nil || v.Map != nil {
		return nil, refusal.New(fmt.Sprintf("its plugin parameter %s is no list", v.Name), "write array: "+example)
	}
	return v.Array, nil
}
