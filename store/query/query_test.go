package query

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// folder and note are record types of this test: the engine names no type.
type folder struct {
	model.Visible

	ID        int64 `bun:"id,pk"`
	Title     string
	CreatedBy int64
}

func (f *folder) NodeID() model.ID { return model.ID{Kind: "fld", Num: f.ID} }
func (*folder) IsNode()            {}
func (*folder) TypeName() string   { return "Folder" }

type note struct {
	model.Visible

	ID       int64 `bun:"id,pk"`
	FolderID int64
	AuthorID int64
	Text     string
	At       model.DateTime
}

func (n *note) NodeID() model.ID { return model.ID{Kind: "not", Num: n.ID} }
func (*note) IsNode()            {}
func (*note) TypeName() string   { return "Note" }

// deletable is a folder that can be deleted.
type deletable struct {
	folder

	DeletedAt *model.DateTime
}

func types() []RecordType {
	return []RecordType{{
		Name: "Folder", Kind: "fld", Model: reflect.TypeFor[folder](), Table: "folders", Alias: "folder", Live: "folder.live",
		Rules: func(v ViewerArg) []Rule {
			return []Rule{{Bit: model.Owner, Holds: bun.SafeQuery("folder.created_by = ?", v.ID)}}
		},
		Many: []List{{Field: "notes", Of: "Note", Key: "folder_id", Where: marked("notes")}},
		Root: &Root{Field: "folders", Filter: func(_ Scope, args Args) (Selection, error) {
			return Selection{Conditions: marked("folders")(args)}, nil
		}},
		Sorts:    []Sort{{Enum: "TITLE", Field: "title", Column: "title", Key: model.KeyText}},
		Searched: []string{"title"},
	}, {
		Name: "Note", Kind: "not", Model: reflect.TypeFor[note](), Table: "notes", Alias: "note",
		Parent: &Parent{"Folder", "folder_id"},
		One:    []Edge{{Field: "folder", To: "Folder", From: "folder_id", Key: "id"}},
		Sorts:  []Sort{{Field: "at", Column: "at", Key: model.KeyTime, Descending: true}},
	}}
}

// marked returns conditions whose text contains their argument.
func marked(name string) func(Args) []Condition {
	return func(Args) []Condition {
		return []Condition{Where(name+"1 = ?", name+"1"), Where("("+name+"2 = ? OR "+name+"3 = ?)", name+"2", name+"3")}
	}
}

func policy(change func(*model.Policy)) *model.Policy {
	all := model.FieldPolicy{Read: model.Owner, Write: model.Owner}
	p := &model.Policy{Types: map[string]model.TypePolicy{
		"Folder": {Exists: model.Owner, Fields: map[string]model.FieldPolicy{"title": all, "deletedAt": all}},
		"Note":   {Exists: model.Owner, Fields: map[string]model.FieldPolicy{"at": all}},
	}}
	if change != nil {
		change(p)
	}
	return p
}

func newRecords(t *testing.T, types []RecordType, p *model.Policy) *Records {
	t.Helper()
	r, err := NewRecords(types, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var marker = regexp.MustCompile(`(\w+[123]) = \$(\d+)`)

// TestLoad_BindsEachParameter: the values come in the order of the parameters, for every
// kind of load.
func TestLoad_BindsEachParameter(t *testing.T) {
	t.Parallel()
	v := &model.Viewer{UserID: 42, Role: model.RolePatient}
	cursor := func(s Sorting, key string) *string {
		text := s.Encode(model.Cursor{Key: key, ID: 7})
		return &text
	}
	for _, narrow := range []bool{false, true} {
		for page := range 4 {
			r := newRecords(t, types(), policy(nil))
			folders := r.Type("Folder").Node()
			if !narrow {
				for range maxMerged {
					if _, err := folders.Record().Column("Title"); err != nil {
						t.Fatal(err)
					}
				}
				folders.Record().Relations()
				folders.SortKey()
				folders.column(output{folders.Record(), "created_by", ""})
			}
			notes, _ := folders.Record().List("notes")
			notes.Record().ID()
			args, below := Args{}, Args{}
			if page&1 != 0 {
				args["after"] = cursor(r.Type("Folder").Sorting(args), "a")
			}
			if page&2 != 0 {
				below["before"] = cursor(r.Type("Folder").List("notes").Sorting(nil), "2026-01-31 09:30:00+00")
			}
			list, err := folders.List(v, args)
			if err != nil {
				t.Fatal(err)
			}
			of, err := notes.ListOf(list, below)
			if err != nil {
				t.Fatal(err)
			}
			request := Request{Loads: []*Load{list, of, list.Count(), of.Count()}}
			for range 2 { // written, and from the cache
				statements, err := request.Statements(v)
				if err != nil {
					t.Fatal(err)
				}
				if merged := len(statements) == 3; merged != narrow {
					t.Errorf("%d statements", len(statements))
				}
				for _, st := range statements {
					wantBound(t, st.Text.Value(), st.Args)
				}
			}
		}
	}
}

func wantBound(t *testing.T, text string, args [][]byte) {
	t.Helper()
	found := marker.FindAllStringSubmatch(text, -1)
	if len(found) == 0 {
		t.Errorf("no parameter in %s", text)
	}
	for _, m := range found {
		if n, _ := strconv.Atoi(m[2]); n > len(args) || string(args[n-1]) != m[1] {
			t.Errorf("$%s is not the argument of %s in %s: %s", m[2], m[1], text, args)
		}
	}
	if highest := fmt.Sprintf("$%d", len(args)); !strings.Contains(text, highest) || strings.Contains(text, fmt.Sprintf("$%d", len(args)+1)) {
		t.Errorf("%d arguments for %s", len(args), text)
	}
	if strings.Contains(text, viewerPlaceholder) || string(args[len(args)-1]) != "42" {
		t.Errorf("the viewer is not the last argument of %s: %s", text, args)
	}
}

// TestNode_DeletedParentHasNoRows: a list asks whether the record that it belongs to
// is live, and an edge to a deleted record yields none, where the statement reads
// that record although it is deleted.
func TestNode_DeletedParentHasNoRows(t *testing.T) {
	t.Parallel()
	v := &model.Viewer{UserID: 42, Role: model.RolePatient}
	written := func(l ...*Load) string {
		statements, err := (&Request{Loads: l}).Statements(v)
		if err != nil {
			t.Fatal(err)
		}
		return statements[len(statements)-1].Text.Value()
	}
	changed := types()
	changed[0].One = []Edge{{Field: "origin", To: "Folder", From: "id", Key: "id", IncludeDeleted: true}}
	folders := newRecords(t, changed, policy(nil)).Type("Folder").Node()
	origin, _ := folders.Record().One("origin")
	notes, _ := origin.List("notes")
	notes.Record().ID()
	folder := folders.One(1)
	list, err := notes.ListOf(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := written(folder, list); !strings.Contains(text, "JOIN folders AS folder ON folder.id = note.folder_id WHERE ((folder.created_by = $5)) AND (folder.live)") {
		t.Errorf("notes of a folder that may be deleted: %s", text)
	}

	restorable := policy(func(p *model.Policy) {
		p.Types["Note"].Fields["deletedAt"] = model.FieldPolicy{Read: model.Owner, Write: model.Owner}
	})
	node := newRecords(t, types(), restorable).Type("Note").Node()
	named, _ := node.Record().One("folder")
	named.ID()
	deleted := node.One(1)
	deleted.Deleted = model.DeletedInclude
	if text := written(deleted); !strings.Contains(text, "WHERE folder.id = page.folder_id AND ((folder.created_by = $2)) AND (folder.live)) AS j1") {
		t.Errorf("the folder of a note that may be deleted: %s", text)
	}
}

// TestNewRecords_RefusesWhatDoesNotFit by type and field.
func TestNewRecords_RefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func([]RecordType){
		"Folder: notes: there is no type Nothing": func(types []RecordType) { types[0].Many[0].Of = "Nothing" },
		"Folder: notes: Note has no column shelf": func(types []RecordType) { types[0].Many[0].Key = "shelf" },
		"Note: folder: there is no type Nothing":  func(types []RecordType) { types[1].One[0].To = "Nothing" },
		"Note: folder: there is no column shelf":  func(types []RecordType) { types[1].One[0].From = "shelf" },
		"Note: folder: Folder has no column shelf": func(types []RecordType) {
			types[1].One[0].Key = "shelf"
		},
		"Note: there is no type Nothing":         func(types []RecordType) { types[1].Parent.Type = "Nothing" },
		"Note: there is no column shelf":         func(types []RecordType) { types[1].Parent.Column = "shelf" },
		"Folder: its parent Note has a parent":   func(types []RecordType) { types[0].Parent = &Parent{"Note", "id"} },
		"Note: *model.Date is no model.Listed":   func(types []RecordType) { types[1].Model = reflect.TypeFor[model.Date]() },
		"Folder: Folder.color is searched, sor":  func(types []RecordType) { types[0].Searched = []string{"color"} },
		"Folder: Folder.createdBy is searched, ": func(types []RecordType) { types[0].Groups = []Group{{Value: "created_by"}} },
		"Folder: all: there is no column shelf":  func(types []RecordType) { types[0].Groups = []Group{{Field: "all", Value: "shelf"}} },
		"Folder: it has no rules and no parent":  func(types []RecordType) { types[0].Rules = nil },
		"Folder: it has no kind":                 func(types []RecordType) { types[0].Kind = "" },
		"Note: Folder has the same name or kind": func(types []RecordType) { types[1].Kind = "fld" },
		"Folder: folders: there is no order":     func(types []RecordType) { types[0].Sorts = nil },
		"Folder: notes: Note has no order":       func(types []RecordType) { types[1].Sorts = nil },
		"Folder: its records can be deleted, bu": func(types []RecordType) {
			types[0].Live, types[0].Model = "", reflect.TypeFor[deletable]()
		},
	} {
		changed := types()
		change(changed)
		if _, err := NewRecords(changed, policy(nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
	hidden := policy(func(p *model.Policy) {
		p.Types["Note"].Fields["at"] = model.FieldPolicy{}
	})
	if _, err := NewRecords(types(), hidden); err == nil || !strings.Contains(err.Error(), "Note.at is searched, sorted or counted by") {
		t.Errorf("error is %v", err)
	}
}

// TestScope_NoViewerNoRows for every access path and filter.
func TestScope_NoViewerNoRows(t *testing.T) {
	t.Parallel()
	r := newRecords(t, types(), policy(nil))
	for _, typ := range r.Types() {
		for _, path := range []AccessPath{Scan, Lookup} {
			for _, deleted := range []model.DeletedFilter{"", model.DeletedInclude, model.DeletedOnly, IncludeDeleted} {
				for _, v := range []ViewerArg{LiteralViewer(nil), PlaceholderViewer(nil)} {
					if text := r.where(typ.Scope(v).Exists(path, deleted)); !strings.HasPrefix(text, "(FALSE)") {
						t.Errorf("%s exists for no viewer: %s", typ.Name, text)
					}
				}
			}
		}
	}
}

// TestArg_IsReadWhetherItMayBeNullOrNot: no argument is lost when the schema makes it
// non-null.
func TestArg_IsReadWhetherItMayBeNullOrNot(t *testing.T) {
	t.Parallel()
	three, nothing := 3, (*int)(nil)
	for _, c := range []struct {
		args Args
		want *int
	}{
		{nil, nil}, {Args{"first": nil}, nil}, {Args{"first": nothing}, nil}, {Args{"first": &three}, &three}, {Args{"first": 3}, &three},
	} {
		if got := c.args.Page().First; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: first is %v", c.args, got)
		}
	}
	type order struct{ model.OrderBy[string] }
	folders, down := newRecords(t, types(), policy(nil)).Type("Folder"), order{model.OrderBy[string]{Field: "TITLE", Direction: model.Descending}}
	for _, c := range []struct {
		asked any
		want  bool
	}{{nil, false}, {(*order)(nil), false}, {&down, true}, {down, true}} {
		if got := folders.Sorting(Args{"orderBy": c.asked}).Descending; got != c.want {
			t.Errorf("orderBy %v: descending is %t", c.asked, got)
		}
	}
}
