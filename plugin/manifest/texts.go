package manifest

// Texts returns all strings in a value of an [Object], or in one like it, without
// empty ones and in no order.
func Texts(value any) []string {
	var all []string
	switch value := value.(type) {
	case string:
		if value != "" {
			all = append(all, value)
		}
	case []any:
		for _, element := range value {
			all = append(all, Texts(element)...)
		}
	case map[string]any:
		for _, element := range value {
			all = append(all, Texts(element)...)
		}
	}
	return all
}
