package fill

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
)

// optional are the fields that a file may leave out.
var optional = []string{"MaleMiddle", "FemaleMiddle", "Youngest", "Oldest", "Gender", "From", "Password"}

func TestData_IsComplete(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]any{
		"names": &map[string]community{}, "places": &places{}, "medicine": &medicine{}, "examples": &examples{},
	} {
		text, err := files.ReadFile("data/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkFilled(t, name, reflect.ValueOf(content).Elem())
	}
}

// checkFilled reports empty values, also those deep in the content.
func checkFilled(t *testing.T, where string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !slices.Contains(optional, f.Name) {
				checkFilled(t, where+"."+f.Name, v.Field(i))
			}
		}
		return
	case reflect.Map:
		for _, key := range v.MapKeys() {
			checkFilled(t, where+"."+key.String(), v.MapIndex(key))
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkFilled(t, where, v.Index(i))
		}
	default:
	}
	if v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 {
		t.Errorf("%s is empty", where)
	}
}

func TestData_NamesWhatExists(t *testing.T) {
	t.Parallel()
	d := newDataset(defaultSeed)
	used := map[string]bool{}
	for i, r := range d.Regions {
		for _, p := range r.People {
			used[p.Value] = true
			if _, ok := d.communities[p.Value]; !ok {
				t.Errorf("region %d has people of %q, which has no names", i, p.Value)
			}
		}
	}
	for _, name := range d.Doctors {
		used[name] = true
		if _, ok := d.Specialties[name]; !ok {
			t.Errorf("there are doctors of %q, which is no specialty", name)
		}
	}
	if want := len(d.communities) + len(d.Specialties); len(used) != want {
		t.Errorf("the data use %d communities and specialties of %d", len(used), want)
	}
	if first := d.Specialties[d.Doctors[0]]; first.Youngest != 0 || first.Oldest != 0 || first.Gender != "" {
		t.Error("the first doctor of a region cannot treat everyone")
	}
}
