package coerce

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// reader reads a value of a scalar, or returns what is wrong with it.
type reader func(value any) (read any, fault string)

// float is a literal with a fraction or an exponent.
type float string

func readerOf(name string, number bool) reader {
	switch name {
	case "Int":
		return readInt
	case "Float":
		return readFloat
	case "Boolean":
		return readBoolean
	case "ID":
		return readID
	default:
		return textReader(name, number)
	}
}

// readInt returns an int64 of 32 bits. It takes 5.0 in a variable, which some clients
// send for 5.
func readInt(value any) (any, string) {
	number, ok := numberOf(value)
	if !ok {
		return nil, "Int cannot represent non-integer value: " + show(value)
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err == nil {
		return n, ""
	}
	f, err := strconv.ParseFloat(number, 64)
	switch _, isLiteral := value.(float); {
	case err != nil && f == 0, f != math.Trunc(f), isLiteral:
		return nil, "Int cannot represent non-integer value: " + show(value)
	case f < math.MinInt32, f > math.MaxInt32:
		return nil, "Int cannot represent non 32-bit signed integer value: " + show(value)
	default:
		return int64(f), ""
	}
}

// readFloat returns a float64.
func readFloat(value any) (any, string) {
	if number, ok := numberOf(value); ok {
		if f, err := strconv.ParseFloat(number, 64); err == nil {
			return f, ""
		}
	}
	return nil, "Float cannot represent non numeric value: " + show(value)
}

func readBoolean(value any) (any, string) {
	if _, ok := value.(bool); ok {
		return value, ""
	}
	return nil, "Boolean cannot represent a non boolean value: " + show(value)
}

// readID returns a string. An integer is as good as its digits, however many there are.
func readID(value any) (any, string) {
	if _, ok := value.(string); ok {
		return value, ""
	}
	if number, ok := numberOf(value); ok && strings.Trim(strings.TrimPrefix(number, "-"), "0123456789") == "" {
		return number, ""
	}
	return nil, "ID cannot represent a non-string and non-integer value: " + show(value)
}

// textReader returns the reader of String or of a custom scalar, which returns a string.
// Its messages do not show numbers: one may be a phone number.
func textReader(name string, number bool) reader {
	fault := name + " cannot represent a non string value"
	if number {
		fault = name + " cannot represent a value that is neither a string nor a number"
	}
	return func(value any) (any, string) {
		if _, ok := value.(string); ok {
			return value, ""
		}
		digits, isNumber := numberOf(value)
		switch {
		case isNumber && number:
			return digits, ""
		case isNumber:
			return nil, fault + "."
		default:
			return nil, fault + ": " + show(value)
		}
	}
}

// numberOf returns the text of a number of JSON, of a literal or of this program.
func numberOf(value any) (text string, ok bool) {
	switch value := value.(type) {
	case json.Number:
		return string(value), true
	case float:
		return string(value), true
	case int64:
		return strconv.FormatInt(value, 10), true
	case int:
		return strconv.Itoa(value), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	default:
		return "", false
	}
}

// show writes a value for a message: a number, true, false and null as they are, and
// nothing of a text, a list or an object.
func show(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(value)
	case string, name:
		return `"..."`
	case []any:
		return "[...]"
	case map[string]any:
		return "{...}"
	}
	const longest = 40 // bytes of a number
	number, ok := numberOf(value)
	if !ok || len(number) > longest {
		return "..."
	}
	return number
}
