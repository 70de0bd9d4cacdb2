package rest

import (
	"context"
	"slices"
)

// row is one method of one address.
//
// The document is also the shape of the answer: aliases give the names, their
// order is the order in the answer, and types are written as REST does (ids as
// integers, enum values in lower case). An object of which one field is
// selected is written as the value of that field, so that
// `access: tokens { access }` lifts a value up. What is selected for the server
// itself does not count and is not written: userErrors, which every mutation
// must select; pageInfo; and `etag: version`, which becomes the ETag.
//
// A field of the body becomes a field of the variable $input or, where there is
// none, a variable of its own. Five variables are filled in otherwise: $id by
// the number in the path, $expectedVersion by If-Match, $first and $after, which
// say that the answer is all entries of a list, by the size of a page and the pages
// read so far, and $hasDevice by whether the body has a member device. A selection with @include is in the
// answer only if it was included; it is not the first. Whether an address wants an access token is the rule of the document's root field.
type row struct {
	method, path string
	// name is that of the operation in OpenAPI. It is set by the document, where
	// there is one.
	name string
	// summary says in a few words what the row does, for OpenAPI.
	summary  string
	document string
	// status is that of success. With 204 there is no body.
	status int
	fields []field
	// partial lets every field of the body be absent.
	partial bool
	// located says that the new record is found at the path and its id.
	located bool
	// message is the fixed text that stands where the document has
	// `message: __typename`.
	message string
	// check is for the row that no document can do. Its answer is {}.
	check func(ctx context.Context, variables map[string]any) error
	// refusesBadToken makes a public address refuse an access token that is no
	// good, instead of not looking at it.
	refusesBadToken bool
	// validates says that the mutation tells what is wrong with its input
	// before it does anything else, so that a request that is at fault already
	// can be sent to learn the rest: see operation.makeInvalid.
	validates bool
}

// field is one field of a request body.
type field struct {
	name string
	// input is its name in GraphQL; empty if it is the same.
	input string
	// optional fields can be absent or null.
	optional bool
	// emptyIsNull takes "" for null.
	emptyIsNull bool
	// blank takes "" for a text.
	blank bool
	// onlyAsks says that the value does not count: the member asks for one in the
	// answer.
	onlyAsks bool
}

// named fills in the name in GraphQL.
func (f field) named() field {
	if f.input == "" {
		f.input = f.name
	}
	return f
}

// rows is the table.
func rows(o Options) []row {
	return slices.Concat(authRows(o), patientRows(), doctorRows(), mappingRows())
}
